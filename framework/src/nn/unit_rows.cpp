#include <espalier/nn/unit_rows.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_vector_norm.h>

namespace espalier {

at::Tensor unit_rows(const at::Tensor& x) {
  return x / at::linalg_vector_norm(x, 2, at::IntArrayRef{-1}, /*keepdim=*/true).clamp_min(1e-12);
}

}  // namespace espalier
