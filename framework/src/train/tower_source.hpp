// Features as a tower makes them now, whatever is attached to it above its cut.
#pragma once

#include "train/activations.hpp"
#include "train/feature_source.hpp"
#include <cstdint>
#include <memory>

namespace espalier {

class TowerSource final : public FeatureSource {
 public:
  // `below` says what enters the tower's `cut`. Rows are on the CPU, wherever the tower is. Tapes
  // are held for `chunk` looks; without a tape as many are computed at a time, so that its rows are
  // the ones that a replay gives. The tower must outlive this.
  TowerSource(const Tower& tower, std::int64_t cut, std::shared_ptr<const ActivationSource> below,
              std::int64_t chunk);

  [[nodiscard]] std::int64_t width() const override { return tower_.feature_width(); }
  [[nodiscard]] bool trained() const override { return cut_ < tower_.layers() + 2; }
  [[nodiscard]] std::int64_t chunk() const override { return chunk_; }
  [[nodiscard]] at::Tensor rows(std::span<const Look> looks, const Mode& mode) const override;

 private:
  [[nodiscard]] at::Tensor at_once(std::span<const Look> looks, const Mode& mode) const;

  const Tower& tower_;
  std::int64_t cut_;
  std::shared_ptr<const ActivationSource> below_;
  std::int64_t chunk_;
};

}  // namespace espalier
