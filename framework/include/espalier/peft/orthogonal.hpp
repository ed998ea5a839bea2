// Orthogonal matrices from numbers without constraint. Batches of squares, [n, k, k] in float32.
#pragma once

#include <cstdint>
#include <espalier/core/random.hpp>
#include <espalier/tensor/tensor.hpp>

namespace espalier {

// Skew-symmetric, from what stands above their diagonals, row by row: [n, k (k - 1) / 2].
[[nodiscard]] at::Tensor skew_symmetric(const at::Tensor& above, std::int64_t k);

// (I - Q) (I + Q)^-1 of skew-symmetric Q: Cayley's transform.
[[nodiscard]] at::Tensor cayley(const at::Tensor& q);
// The same of -Q without an inverse, near enough for small Q (OFT v2, Qiu et al. 2025): the series
// I + 2 Q + 2 Q^2 + ... + Q^(terms - 1), as Hugging Face PEFT sums it: 3 terms have the 4th as
// well, and the last power counts once. At least 2 terms.
[[nodiscard]] at::Tensor cayley_neumann(const at::Tensor& q, std::int64_t terms);

// The squares along the diagonal of one matrix; `times` over where there is but one.
[[nodiscard]] at::Tensor block_diagonal(const at::Tensor& squares, std::int64_t times);

// [n, 1, 1]: 0 with probability p, else 1.
[[nodiscard]] at::Tensor kept_blocks(std::int64_t n, double p, Random& random);

}  // namespace espalier
