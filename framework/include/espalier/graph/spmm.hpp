// Message passing as a sparse product.
#pragma once

#include <espalier/graph/csr.hpp>
#include <espalier/tensor/tensor.hpp>

namespace espalier {

// y[i] = sum over the edges e of row i of weight[e] * x[col[e]], for x [sources, d] and weight
// [edges] of one floating type, to [targets, d].
//
// Differentiable in x, and in weight where it requires a gradient: dx is the product with the
// transpose, dweight[e] the inner product of dy[row[e]] and x[col[e]]. A row is summed in the order
// of its edges whatever the number of threads, so results are the same bits each time.
[[nodiscard]] at::Tensor spmm(const CsrGraph& graph, const at::Tensor& weight, const at::Tensor& x);

}  // namespace espalier
