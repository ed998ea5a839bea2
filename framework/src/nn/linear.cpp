#include <espalier/nn/linear.hpp>

#include <ATen/ops/linear.h>
#include <ATen/ops/zeros.h>

#include <cmath>

namespace espalier {

void Linear::init(const std::string& name, std::int64_t in, std::int64_t out, LinearInit how,
                  Parameters& parameters, Random& random, bool bias) {
  const auto weight = [&] {
    if (how == LinearInit::standard) return linear_init({out, in}, random);
    if (how == LinearInit::glorot) return glorot_uniform({out, in}, random);
    return at::zeros({out, in}, at::kFloat);
  };
  weight_ = parameters.add(name + ".weight", weight());
  if (!bias) return;
  const bool drawn = how == LinearInit::standard;
  const double bound = 1.0 / std::sqrt(static_cast<double>(in));
  bias_ = parameters.add(name + ".bias",
                         drawn ? uniform_init({out}, bound, random) : at::zeros({out}, at::kFloat));
}

at::Tensor Linear::operator()(const at::Tensor& x) const {
  return bias_.defined() ? at::linear(x, weight_, bias_) : at::linear(x, weight_);
}

at::Tensor Linear::product(const at::Tensor& x) const { return at::linear(x, weight_); }

}  // namespace espalier
