#include "train/cross_attention.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/layer_norm.h>

#include <espalier/core/error.hpp>
#include <espalier/nn/attention.hpp>

namespace espalier {
namespace {

at::Tensor standard_rows(const at::Tensor& x) { return at::layer_norm(x, {x.size(1)}); }

}  // namespace

void CrossAttention::init(const std::string& name, std::int64_t width, std::int64_t other_width,
                          Parameters& parameters, Random& random) {
  ESPALIER_ASSERT(shape_.width % shape_.heads == 0, "heads of one width");
  const std::int64_t all = shape_.tokens * shape_.width;
  q_.init(name + ".q", width, all, LinearInit::standard, parameters, random);
  k_.init(name + ".k", other_width, all, LinearInit::standard, parameters, random);
  v_.init(name + ".v", other_width, all, LinearInit::standard, parameters, random);
  out_.init(name + ".out", all, width, LinearInit::zero, parameters, random);
}

at::Tensor CrossAttention::operator()(const at::Tensor& x, const at::Tensor& y) const {
  const auto tokens = [this](const at::Tensor& rows) {
    return rows.view({rows.size(0), shape_.tokens, shape_.width});
  };
  const at::Tensor other = standard_rows(y);
  const at::Tensor seen = attention(tokens(q_(standard_rows(x))), tokens(k_(other)),
                                    tokens(v_(other)), shape_.heads, {});
  return x + out_(seen.reshape({x.size(0), shape_.tokens * shape_.width}));
}

}  // namespace espalier
