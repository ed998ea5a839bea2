// A dual encoder of CLIP's architecture, a few thousand random weights large.
#pragma once

#include <espalier/nn/adaptable.hpp>
#include <espalier/plugin/peft.hpp>
#include <memory>
#include <string>

namespace espalier::conformance {

// The same weights each time.
[[nodiscard]] std::unique_ptr<AdaptableEncoder> toy_encoder();

// What enters the bottom of a tower: three pictures; the texts of two classes, made of the template
// that a method learns in, or of none.
[[nodiscard]] Activations toy_input(TowerKind tower, const std::string& class_template = {});
// In what mode: rows of texts are of the classes 0, 1, ... as `rows` counts them on.
[[nodiscard]] Mode toy_mode(TowerKind tower, std::span<const std::int64_t> rows);
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
[[nodiscard]] at::Tensor toy_features(const AdaptableEncoder& encoder,
                                      const std::string& class_template = {});

// Labelled rows around the class vectors of a clean toy encoder, two views of a training sample,
// and the ids of the classes' texts.
[[nodiscard]] MethodInput toy_method_input(const AdaptableEncoder& clean,
                                           const std::string& class_template);

}  // namespace espalier::conformance
