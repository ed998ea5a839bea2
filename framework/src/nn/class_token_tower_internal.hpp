// Vision transformers whose feature is the class token after the final norm: ViT and DINOv2.
#pragma once

#include <espalier/nn/tower.hpp>
#include <optional>

#include "embedding_internal.hpp"

namespace espalier {

class ClassTokenTower final : public VisionTower {
 public:
  // A pooler, tanh of a linear map of the feature, where the checkpoint has `pooler.dense`.
  ClassTokenTower(const PatchConfig& patches, const TransformerConfig& config,
                  const LayerNames& names, WeightReader& reader);

  [[nodiscard]] Activations embed(const at::Tensor& pixels, const Mode& mode) const override;
  [[nodiscard]] at::Tensor feature_positions(const Activations& activations) const override;
  [[nodiscard]] const Transformer& transformer() const override { return transformer_; }

 private:
  [[nodiscard]] TowerOutput pool(const Activations& output, const Mode& mode) const override;
  void collect_below(std::vector<Site*>& sites) override;

  PatchEmbedding embedding_;
  Transformer transformer_;
  Site norm_;
  std::optional<Site> pooler_;
};

}  // namespace espalier
