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
// What a method may look at before it is attached: the texts of the classes.
[[nodiscard]] MethodInput toy_method_input(const std::string& class_template);

// Features of these images and texts, and the texts' as class vectors, one above the other, float32
// [n, width].
[[nodiscard]] at::Tensor toy_features(const AdaptableEncoder& encoder,
                                      const std::string& class_template = {});

}  // namespace espalier::conformance
