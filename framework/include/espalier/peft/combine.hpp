// Several low-rank adapters of one base as one, as PEFT's add_weighted_adapter() does it.
#pragma once

#include <espalier/peft/adapter.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

// With u_i the weight of adapter i times its own scale:
//   cat     A = [u_i A_i], B = [B_i]: the weighted sum of the updates, exactly; ranks add up
//   svd     the best approximation of that sum at the largest rank
//   linear  A = sum of sign(u_i) sqrt|u_i| A_i, B = sum of sqrt|u_i| B_i, of equal ranks: cheap, and
//           not the weighted sum, since it has cross terms
enum class Combination { cat, svd, linear };

// Throws Error on another word.
[[nodiscard]] Combination combination_of(std::string_view word);

// One adapter of the type LORA whose scale is 1. Throws Error where one is of another type, has
// DoRA's magnitudes or biases, or where they do not change the same modules.
[[nodiscard]] Adapter combine(const std::vector<Adapter>& adapters,
                              const std::vector<double>& weights, Combination how);

}  // namespace espalier
