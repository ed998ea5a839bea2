// Message passing as a sparse product.
#pragma once

#include <espalier/graph/csr.hpp>
#include <espalier/tensor/tensor.hpp>

namespace espalier {

// y[i] = sum over the edges e of row i of weight[e] * x[col[e]], for x [sources, d] to [targets,
// d].
//
// `weight` is [edges], of the type of x; or [edges, heads], where head h is the h-th of `heads`
// equal parts of the columns; or undefined, which counts as ones.
//
// Differentiable in x, and in weight where it requires a gradient: dx is the product with the
// transpose, dweight[e] the inner product of dy[row[e]] and x[col[e]]. Nothing of size
// [edges, d] is made. A row is summed in the order of its edges, whatever the number of threads and
// whatever vectors the processor has, so results are the same bits each time; threads share the rows
// by their edges. Where half of all pairs or more of a square graph are joined, the whole matrix
// is multiplied instead, in the BLAS's order of sums.
[[nodiscard]] at::Tensor spmm(const CsrGraph& graph, const at::Tensor& weight, const at::Tensor& x);

// What messages and a target's own state are multiplied with.
struct MessageWeights {
  at::Tensor edge;  // [edges] or [edges, heads], or undefined: ones
  at::Tensor own;   // [targets] or [targets, heads], or undefined: zeros
};

// The same with own[i] * targets[i] added, for targets [targets, d]; of a square graph they may be
// the sources themselves. Differentiable in all of them.
[[nodiscard]] at::Tensor propagate(const CsrGraph& graph, const MessageWeights& weights,
                                   const at::Tensor& sources, const at::Tensor& targets);

}  // namespace espalier
