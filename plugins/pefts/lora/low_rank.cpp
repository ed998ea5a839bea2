#include "pefts/lora/low_rank.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>

namespace espalier {

at::Tensor LowRank::low(const at::Tensor& x) const {
  const at::Tensor inner = at::linear(x.to(at::kFloat), factors_.a.flatten(1));
  return at::linear(inner, factors_.b.flatten(1), b_bias_) * scale_;
}

at::Tensor LowRank::delta() const {
  return at::matmul(factors_.b.flatten(1), factors_.a.flatten(1)) * scale_;
}

at::Tensor LowRank::output(const at::Tensor& x, const at::Tensor& y, const Mode& mode) const {
  return y + low(dropped(x, mode)).to(y.scalar_type());
}

LinearMap LowRank::folded(const LinearMap& frozen) const {
  LinearMap map{frozen.weight + delta(), frozen.bias};
  if (!b_bias_.defined()) return map;
  const at::Tensor shift = b_bias_ * scale_;
  map.bias = map.bias.defined() ? map.bias + shift : shift;
  return map;
}

at::Tensor LowRankDifference::output(const at::Tensor& x, const at::Tensor& y,
                                     const Mode& mode) const {
  const at::Tensor kept = at::linear(at::linear(x.to(at::kFloat), start_.a), start_.b) * scale();
  return y + (low(dropped(x, mode)) - kept).to(y.scalar_type());
}

LinearMap LowRankDifference::folded(const LinearMap& frozen) const {
  const LinearMap map = LowRank::folded(frozen);
  return {map.weight - at::matmul(start_.b, start_.a) * scale(), map.bias};
}

at::Tensor Dora::gains(const at::Tensor& weight) const {
  return magnitude_ / (weight + delta()).norm(2, 1).detach();
}

at::Tensor Dora::output(const at::Tensor& x, const at::Tensor& y, const Mode& mode) const {
  const at::Tensor g = gains(weight_);
  if (drops(mode)) {
    const at::Tensor thin = dropped(x, mode).to(at::kFloat);
    return y + (at::linear(thin, weight_) * (g - 1) + low(thin) * g).to(y.scalar_type());
  }
  const at::Tensor map = bias_.defined() ? y - bias_ : y;
  return y + (map.to(at::kFloat) * (g - 1) + low(x) * g).to(y.scalar_type());
}

LinearMap Dora::folded(const LinearMap& frozen) const {
  return {LowRank::folded(frozen).weight * gains(frozen.weight).unsqueeze(1), frozen.bias};
}

}  // namespace espalier
