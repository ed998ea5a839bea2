// What a pass computes with: features as the parameters make them now.
#pragma once

#include "train/feature_source.hpp"
#include <cstddef>
#include <cstdint>
#include <espalier/nn/mode.hpp>
#include <espalier/tensor/tensor.hpp>
#include <span>
#include <vector>

namespace espalier {

// Rows by sample of a scene and by class; undefined where the trial has no use for them.
struct Values {
  at::Tensor images = {};        // [samples, image width]
  at::Tensor texts = {};         // [samples, text width]
  at::Tensor classes = {};       // [classes, text width], means of texts of length 1
  std::int64_t first_class = 0;  // the label of the first of them
};

// Of those, and of all classes. Looks are of pictures: texts are looked at plainly.
[[nodiscard]] Values values_of(const Sources& sources, std::span<const Look> looks,
                               const Mode& mode);
[[nodiscard]] Values values_of(const Sources& sources, std::span<const std::size_t> samples,
                               const Mode& mode);

}  // namespace espalier
