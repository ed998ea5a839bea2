#include <espalier/nn/activation.hpp>

#include <ATen/ops/elu.h>
#include <ATen/ops/gelu.h>
#include <ATen/ops/relu.h>
#include <ATen/ops/silu.h>
#include <ATen/ops/tanh.h>

#include <espalier/core/error.hpp>

namespace espalier {

at::Tensor activate(const std::string& name, const at::Tensor& x) {
  if (name == "relu") return at::relu(x);
  if (name == "gelu") return at::gelu(x);
  if (name == "silu") return at::silu(x);
  if (name == "tanh") return at::tanh(x);
  if (name == "elu") return at::elu(x);
  ESPALIER_ASSERT(name == "identity", "an activation that the schema allows");
  return x;
}

}  // namespace espalier
