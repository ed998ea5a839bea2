// What toy models are given, and all that they say of it.
#pragma once

#include <espalier/nn/adaptable.hpp>
#include <espalier/plugin/peft.hpp>
#include <map>
#include <string>
#include <vector>

#include "toy_models_internal.hpp"

namespace espalier::conformance {

// Those that there are, the image tower first.
[[nodiscard]] std::vector<const Tower*> towers_of(const AdaptableEncoder& encoder);

// What enters the bottom of a tower: three pictures; the texts of two classes, made of the template
// that a method learns in, or of none.
[[nodiscard]] Activations toy_input(TowerKind tower, const std::string& class_template = {});
// In what mode: rows of texts are of the classes 0, 1, ..., those of pictures of such samples, as
// `rows` counts them on.
[[nodiscard]] Mode toy_mode(TowerKind tower, std::span<const std::int64_t> rows);

// Features [rows, width] of each tower's input.
using ToyRows = std::map<TowerKind, at::Tensor>;
// These and, where the encoder has class scores, class vectors made of the texts' features and the
// images' scores by them, all in a row. The modes are for rows of images and of texts.
[[nodiscard]] at::Tensor all_said(const AdaptableEncoder& encoder, const ToyRows& features,
                                  const Mode& of_images, const Mode& of_texts);
// Of toy_input().
[[nodiscard]] at::Tensor toy_features(const AdaptableEncoder& encoder,
                                      const std::string& class_template = {});

// Labelled rows around two vectors of a clean toy encoder, which are those of its classes where it
// has such, two views of a training sample, and the ids of the classes' texts.
[[nodiscard]] MethodInput toy_method_input(const AdaptableEncoder& clean,
                                           const std::string& class_template);

}  // namespace espalier::conformance
