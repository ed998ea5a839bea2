#include <espalier/nn/dropout.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>

namespace espalier {

at::Tensor dropout(const at::Tensor& x, double p, const Mode& mode) {
  if (!mode.training || p == 0) return x;
  at::Tensor mask = at::empty(x.sizes(), at::kFloat);
  auto* values = mask.data_ptr<float>();
  const auto kept = static_cast<float>(1.0 / (1.0 - p));
  for (std::int64_t i = 0; i < mask.numel(); ++i) {
    values[i] = mode.dropout->uniform() < p ? 0.0F : kept;
  }
  return x * mask.to(x.options());
}

}  // namespace espalier
