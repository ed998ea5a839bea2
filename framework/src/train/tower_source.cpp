#include "train/tower_source.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <vector>

namespace espalier {
namespace {

// The mode of some of the rows.
Mode mode_of(const Mode& mode, std::size_t begin, std::size_t count) {
  Mode part = mode;
  if (!mode.classes.empty()) part.classes = mode.classes.subspan(begin, count);
  return part;
}

}  // namespace

TowerSource::TowerSource(const Tower& tower, std::int64_t cut,
                         std::shared_ptr<const ActivationSource> below, std::int64_t chunk)
    : tower_(tower), cut_(cut), below_(std::move(below)), chunk_(chunk) {
  ESPALIER_ASSERT(chunk >= 1, "a chunk has a sample");
}

at::Tensor TowerSource::rows(std::span<const Look> looks, const Mode& mode) const {
  if (looks.empty()) return at::empty({0, width()}, at::TensorOptions(tower_.device()));
  if (c10::GradMode::is_enabled()) return at_once(looks, mode);
  std::vector<at::Tensor> parts;
  const auto size = static_cast<std::size_t>(chunk_);
  for (std::size_t begin = 0; begin < looks.size(); begin += size) {
    const std::size_t count = std::min(size, looks.size() - begin);
    parts.push_back(at_once(looks.subspan(begin, count), mode_of(mode, begin, count)));
  }
  return parts.size() == 1 ? parts.front() : at::cat(parts);
}

at::Tensor TowerSource::at_once(std::span<const Look> looks, const Mode& mode) const {
  std::vector<std::uint64_t> ids(looks.size());
  std::transform(looks.begin(), looks.end(), ids.begin(), look_id);
  Mode own = mode;
  own.dropout.rows = ids;
  std::vector<std::int64_t> samples;
  if (tower_.kind() == TowerKind::image) {
    for (const Look& look : looks) samples.push_back(static_cast<std::int64_t>(look.sample));
  }
  own.samples = samples;
  Activations entering = each_of(below_->at(looks), [&](const at::Tensor& t) {
    const bool number = cut_ >= 0 && t.is_floating_point();
    return t.to(tower_.device(), number ? tower_.dtype() : t.scalar_type());
  });
  const at::Tensor features =
      tower_.advance(std::move(entering), cut_, tower_.layers() + 2, own).states;
  return features.to(at::kCPU, at::kFloat);
}

}  // namespace espalier
