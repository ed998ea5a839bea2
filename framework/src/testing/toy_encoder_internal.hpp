// A dual encoder of CLIP's architecture, a few thousand random weights large.
#pragma once

#include <espalier/nn/adaptable.hpp>
#include <espalier/plugin/peft.hpp>
#include <memory>

namespace espalier::conformance {

// The same weights each time.
[[nodiscard]] std::unique_ptr<AdaptableEncoder> toy_encoder();

// What enters the bottom of a tower: three pictures, two texts.
[[nodiscard]] Activations toy_input(TowerKind tower);

// What an encoder says, with the texts as classes.
struct ToyFeatures {
  at::Tensor images;   // [3, width]
  at::Tensor texts;    // [2, width]
  at::Tensor classes;  // [2, width], class vectors made of the texts
  at::Tensor logits;   // [3, 2], of the images by these

  // All of them in a row.
  [[nodiscard]] at::Tensor flat() const;
};

// Class vectors of these texts' features, and the images' scores by them. The modes are for rows of
// images and of texts.
[[nodiscard]] ToyFeatures with_logits(const AdaptableEncoder& encoder, const at::Tensor& images,
                                      const at::Tensor& texts, const Mode& of_images,
                                      const Mode& of_texts);
// Of toy_input(), flat.
[[nodiscard]] at::Tensor toy_features(const AdaptableEncoder& encoder);

// Labelled rows around the class vectors of a clean toy encoder, two views of a training sample.
[[nodiscard]] MethodInput toy_method_input(const AdaptableEncoder& clean);

}  // namespace espalier::conformance
