// What the encoder says of the classes themselves.
#pragma once

#include "experiment/sections.hpp"
#include <espalier/dataset/prompts.hpp>
#include <espalier/plugin/dataset.hpp>
#include <espalier/plugin/encoder.hpp>
#include <espalier/tensor/tensor.hpp>
#include <string>

namespace espalier {

// The texts for head.prompts, in the order of the dataset's classes. `dataset_name` is its
// component's name; where it is the name of a set of templates, `auto` takes that one. Throws Error
// where a template or a file of descriptions does not fit.
[[nodiscard]] ClassTexts class_prompts(const HeadParams& head, const std::string& dataset_name,
                                       const Dataset& dataset);

// [classes, width]: of each class the mean of its texts' features, each brought to length 1.
[[nodiscard]] at::Tensor class_vectors(const Encoder& encoder, const ClassTexts& texts);

struct ClassFeatures {
  at::Tensor vectors;      // as class_vectors() gives them
  double logit_scale = 1;  // the encoder's
};

}  // namespace espalier
