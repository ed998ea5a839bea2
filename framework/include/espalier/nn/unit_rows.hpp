// Vectors of length 1, which cosines are products of.
#pragma once

#include <espalier/tensor/tensor.hpp>

namespace espalier {

// `x` over the length of its last dimension; what is shorter than 1e-12 is divided by 1e-12.
[[nodiscard]] at::Tensor unit_rows(const at::Tensor& x);

}  // namespace espalier
