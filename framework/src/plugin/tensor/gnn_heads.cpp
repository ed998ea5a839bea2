#include <espalier/plugin/gnn_heads.hpp>

#include <ATen/TensorOperators.h>

#include <espalier/core/error.hpp>

namespace espalier {

std::int64_t width_of_a_head(const MultiHeadParams& params, std::int64_t out) {
  if (!params.concat) return out;
  if (out % params.heads == 0) return out / params.heads;
  throw Error({.what = "the heads of a graph network do not fit its width",
               .where = {},
               .expected = "a width that " + std::to_string(params.heads) + " heads share equally",
               .found = std::to_string(out),
               .fix = "set gnn's hidden to a multiple of heads, or concat: false"});
}

at::Tensor joined_heads(const MultiHeadParams& params, const at::Tensor& h,
                        const at::Tensor& bias) {
  const bool averaged = !params.concat && params.heads > 1;
  const at::Tensor joined =
      averaged ? h.view({h.size(0), params.heads, h.size(1) / params.heads}).mean(1) : h;
  return bias.defined() ? joined + bias : joined;
}

}  // namespace espalier
