// A dual encoder of CLIP's architecture, a few thousand random weights large.
#pragma once

#include <espalier/nn/adaptable.hpp>
#include <memory>

namespace espalier::conformance {

// The same weights each time.
[[nodiscard]] std::unique_ptr<AdaptableEncoder> toy_encoder();

// What enters the bottom of a tower: three pictures, two texts.
[[nodiscard]] Activations toy_input(TowerKind tower);

// Features of these images and texts, and the texts' as class vectors, one above the other, float32
// [n, width].
[[nodiscard]] at::Tensor toy_features(const AdaptableEncoder& encoder);

}  // namespace espalier::conformance
