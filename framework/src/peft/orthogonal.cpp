#include <espalier/peft/orthogonal.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/block_diag.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_solve.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/triu_indices.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <vector>

namespace espalier {

at::Tensor skew_symmetric(const at::Tensor& above, std::int64_t k) {
  const at::Tensor places = at::triu_indices(k, k, 1, above.options().dtype(at::kLong));
  const at::Tensor flat = places[0] * k + places[1];
  const at::Tensor upper = at::zeros({above.size(0), k * k}, above.options())
                               .index_copy(1, flat, above)
                               .view({above.size(0), k, k});
  return upper - upper.transpose(1, 2);
}

at::Tensor cayley(const at::Tensor& q) {
  const at::Tensor one = at::eye(q.size(-1), q.options());
  return at::linalg_solve(one + q, one - q, /*left=*/false);
}

at::Tensor cayley_neumann(const at::Tensor& q, std::int64_t terms) {
  const at::Tensor one = at::eye(q.size(-1), q.options());
  if (terms == 2) return one + q * 2.0;
  const std::int64_t last = std::max<std::int64_t>(terms - 1, 3);
  at::Tensor power = q;
  at::Tensor sum = one + q * 2.0;
  for (std::int64_t i = 2; i <= last; ++i) {
    power = at::matmul(power, q);
    sum = sum + power * (i == last ? 1.0 : 2.0);
  }
  return sum;
}

at::Tensor block_diagonal(const at::Tensor& squares, std::int64_t times) {
  std::vector<at::Tensor> blocks;
  for (std::int64_t i = 0; i < times; ++i) {
    blocks.push_back(squares[squares.size(0) == 1 ? 0 : i]);
  }
  return at::block_diag(blocks);
}

at::Tensor kept_blocks(std::int64_t n, double p, Random& random) {
  at::Tensor kept = at::empty({n, 1, 1}, at::kFloat);
  auto* const values = kept.data_ptr<float>();
  std::generate(values, values + n, [&] { return random.uniform() < p ? 0.0F : 1.0F; });
  return kept;
}

}  // namespace espalier
