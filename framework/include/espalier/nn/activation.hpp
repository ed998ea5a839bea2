// Nonlinearities by name.
#pragma once

#include <espalier/tensor/tensor.hpp>
#include <string>
#include <vector>

namespace espalier {

// For the `choices` of a parameter. gelu is the exact form, with erf.
inline const std::vector<std::string> activations = {"relu", "gelu", "silu",
                                                     "tanh", "elu",  "identity"};

// The function applied to each element of `x`.
[[nodiscard]] at::Tensor activate(const std::string& name, const at::Tensor& x);

}  // namespace espalier
