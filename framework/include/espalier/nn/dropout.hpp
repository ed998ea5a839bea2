// Dropout whose masks do not depend on the company of a row.
#pragma once

#include <espalier/core/random.hpp>
#include <espalier/nn/mode.hpp>
#include <espalier/tensor/tensor.hpp>
#include <string_view>

namespace espalier {

// In training each element of x [rows, ...] is zeroed with probability p and the others divided by
// 1 - p; else `x`. `site` names the place among all that drop in one pass: two places of one name
// draw the same masks. Within a row masks are drawn in the order of its elements, so that a text
// has the same mask whatever padding follows it. Throws Error unless the mode has an id a row.
[[nodiscard]] at::Tensor dropout(const at::Tensor& x, double p, const Mode& mode,
                                 std::string_view site);

// Standard normal numbers, as many as x [rows, ...] has and in its options, drawn as masks are.
// Only in training.
[[nodiscard]] at::Tensor normal_noise(const at::Tensor& x, const Mode& mode, std::string_view site);

// What one place draws in one step of training, the same for every row of it: which blocks or rows
// of a weight are dropped.
[[nodiscard]] Random step_random(const Mode& mode, std::string_view site);

}  // namespace espalier
