// Scaled dot-product attention (Vaswani et al. 2017, section 3.2.1).
#pragma once

#include <cstdint>
#include <espalier/tensor/tensor.hpp>

namespace espalier {

// Who may look at whom: nobody at what comes later where `causal`, else `added` to the scores, a
// tensor that broadcasts to [n, heads, l, l], or undefined. Never both.
struct AttentionBias {
  bool causal = false;
  at::Tensor added;
};

// Of states `like` [n, l, w]. `valid` is bool [n, l], true where a position may be looked at, or
// undefined: everywhere.
// `relative` is [1, heads, l, l] or undefined. Masked scores get the lowest finite number, so that
// a row without any valid position is uniform, as in Hugging Face's eager attention.
[[nodiscard]] AttentionBias attention_bias(const at::Tensor& like, bool causal,
                                           const at::Tensor& valid, const at::Tensor& relative);

// The bias of one query a row: of all of `bias` what concerns the query at `positions`, int64 [n],
// in states `like` [n, l, w]. Broadcasts to [n, heads, 1, l].
[[nodiscard]] AttentionBias bias_at(const AttentionBias& bias, const at::Tensor& positions,
                                    const at::Tensor& like);

// softmax(q k' / sqrt(d) + bias) v for q [n, l, heads * d], k and v [n, m, heads * d]; gives
// [n, l, heads * d]. `bias` is causal only where l is m.
[[nodiscard]] at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                   std::int64_t heads, const AttentionBias& bias);

}  // namespace espalier
