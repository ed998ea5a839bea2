// The image side of BLIP: a ViT that hands over the states of all its patches.
#pragma once

#include <espalier/nn/transformer.hpp>

#include "embedding_internal.hpp"

namespace espalier {

class BlipVision {
 public:
  BlipVision(const PatchConfig& patches, const TransformerConfig& config, WeightReader& reader);

  // [n, 3, height, width] to what enters the first layer.
  [[nodiscard]] at::Tensor embed(const at::Tensor& pixels) const;
  // All layers and the norm: states [n, patches + 1, width].
  [[nodiscard]] at::Tensor forward(const at::Tensor& pixels) const;
  [[nodiscard]] at::Tensor normed(const at::Tensor& states) const;
  [[nodiscard]] const Transformer& transformer() const noexcept { return transformer_; }

 private:
  PatchEmbedding embedding_;
  Transformer transformer_;
  Site norm_;
};

}  // namespace espalier
