// Dropout from Espalier's own generator.
#pragma once

#include <espalier/nn/mode.hpp>

namespace espalier {

// In training each element is zeroed with probability p and the others divided by 1 - p; else `x`.
[[nodiscard]] at::Tensor dropout(const at::Tensor& x, double p, const Mode& mode);

}  // namespace espalier
