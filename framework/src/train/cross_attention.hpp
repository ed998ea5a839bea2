// Cross-attention between two feature vectors of a sample (Vaswani et al. 2017, section 3.2.2).
//
// A tower gives one vector a sample, and attention to a single vector is no choice: its softmax is
// 1. So each vector is first mapped to m tokens of w columns, and those of one attend to those of
// the other, H heads a token:
//   q = W_q n(x),  k = W_k n(y),  v = W_v n(y)         [samples, m, w] each
//   x' = x + W_o softmax(q k^T / sqrt(w / H)) v,       all tokens of a sample side by side
// n subtracts the mean of a row and divides by its deviation, without parameters. W_o is zero at
// the start, so that x' begins as x. A sample looks at itself alone: rows do not depend on others.
#pragma once

#include <cstdint>
#include <espalier/nn/linear.hpp>
#include <espalier/nn/parameters.hpp>
#include <string>

namespace espalier {

struct CrossAttentionShape {
  std::int64_t tokens = 4;  // m
  std::int64_t width = 64;  // w, a multiple of heads
  std::int64_t heads = 4;   // H
};

class CrossAttention {
 public:
  explicit CrossAttention(const CrossAttentionShape& shape) : shape_(shape) {}

  // Parameters `<name>.q`, `.k`, `.v` and `.out`, each with weight and bias.
  void init(const std::string& name, std::int64_t width, std::int64_t other_width,
            Parameters& parameters, Random& random);

  // x [n, width] and the other modality's rows y [n, other_width] to x' [n, width].
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x, const at::Tensor& y) const;

 private:
  CrossAttentionShape shape_;
  Linear q_, k_, v_, out_;
};

}  // namespace espalier
