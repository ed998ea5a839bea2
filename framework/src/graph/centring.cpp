#include <espalier/graph/centring.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <vector>

namespace espalier {

Centring::Centring(const at::Tensor& features, std::int64_t views, std::int64_t fit)
    : means_(at::zeros({views, features.size(1)}, at::kFloat)) {
  const at::Tensor rows = features.detach().cpu().contiguous();
  const std::int64_t width = rows.size(1), samples = rows.size(0) / views;
  const std::int64_t count = fit < 0 ? samples : std::min(fit, samples);
  if (count == 0) return;
  for (std::int64_t v = 0; v < views; ++v) {
    std::vector<double> sum(static_cast<std::size_t>(width), 0);
    const float* row = rows.data_ptr<float>() + v * samples * width;
    for (std::int64_t i = 0; i < count * width; ++i) {
      sum[static_cast<std::size_t>(i % width)] += static_cast<double>(row[i]);
    }
    for (std::int64_t k = 0; k < width; ++k) {
      means_.data_ptr<float>()[v * width + k] =
          static_cast<float>(sum[static_cast<std::size_t>(k)] / static_cast<double>(count));
    }
  }
}

at::Tensor Centring::operator()(const at::Tensor& features) const {
  if (!means_.defined()) return features;
  const std::int64_t views = means_.size(0);
  ESPALIER_ASSERT(features.size(0) % views == 0, "as many rows in each view");
  const std::int64_t samples = features.size(0) / views;
  return (features.detach().cpu().reshape({views, samples, features.size(1)}) - means_.unsqueeze(1))
      .reshape({features.size(0), features.size(1)});
}

}  // namespace espalier
