#include <espalier/peft/sparse_weight.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

#include <espalier/core/error.hpp>

namespace espalier {

at::Tensor SparseWeight::delta() const {
  const at::Tensor at = places();
  const std::int64_t all = outputs_ * inputs_;
  if (!((at >= 0) & (at < all)).all().item<bool>()) {
    throw Error({.what = "the adapter names places outside of a weight",
                 .where = site_,
                 .expected = "rows below " + std::to_string(outputs_) + " and columns below " +
                             std::to_string(inputs_),
                 .found = {},
                 .fix = "the adapter may be of another base model"});
  }
  return at::zeros({all}, values_.options()).scatter_add(0, at, values_).view({outputs_, inputs_});
}

}  // namespace espalier
