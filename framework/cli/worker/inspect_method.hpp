// Where a method cuts an encoder, for espalier plan.
#pragma once

#include <cstdint>
#include <espalier/core/json.hpp>
#include <espalier/plugin/encoder.hpp>

#include "fit_method.hpp"

namespace espalier::cli {

// Answers {"encoder", "peft": sections, "towers": what the trial looks at of image, text and
// class_vectors} with {"cuts": [{"tower", "cut", "layers", "bytes"}], "trainable"}, for the
// components of these sections; {"cuts": [], "nothing": what the trial looks at, in words} where
// the method finds nothing to train there. What another method left in the encoder is taken off
// first.
[[nodiscard]] Json cuts_of_method(const Json& question, Encoder& encoder, const MakeMethod& make,
                                  std::int64_t seed);

}  // namespace espalier::cli
