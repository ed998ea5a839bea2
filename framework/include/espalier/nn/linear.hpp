// A trainable affine map.
#pragma once

#include <cstdint>
#include <espalier/nn/parameters.hpp>
#include <string>

namespace espalier {

enum class LinearInit {
  standard,  // weight by linear_init(), bias uniform within 1 / sqrt(fan_in): PyTorch's default
  glorot,    // weight by glorot_uniform(), bias 0: PyTorch Geometric's for convolutions
  zero,      // both 0
};

// x [n, in] to x W^T + b [n, out]; parameters `<name>.weight` [out, in] and `<name>.bias` [out].
class Linear {
 public:
  void init(const std::string& name, std::int64_t in, std::int64_t out, LinearInit how,
            Parameters& parameters, Random& random, bool bias = true);

  [[nodiscard]] at::Tensor operator()(const at::Tensor& x) const;
  // Without the bias, for layers that add it after passing messages.
  [[nodiscard]] at::Tensor product(const at::Tensor& x) const;
  [[nodiscard]] const at::Tensor& weight() const noexcept { return weight_; }
  // Undefined without a bias.
  [[nodiscard]] const at::Tensor& bias() const noexcept { return bias_; }

 private:
  at::Tensor weight_;
  at::Tensor bias_;
};

}  // namespace espalier
