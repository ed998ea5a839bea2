// Weights of an encoder that are trained themselves.
#pragma once

#include <espalier/tensor/tensor.hpp>
#include <string>

namespace espalier {

// Throws Error unless it is float32: what is trained keeps what an update adds to it.
void require_float(const std::string& name, const at::Tensor& weight);

}  // namespace espalier
