// Message passing as a product with the whole matrix, for graphs that join most of their nodes.
#pragma once

#include <espalier/graph/spmm.hpp>

namespace espalier {

// Whether that takes less time than going over the edges: of a square graph of up to 4,096 nodes
// that joins half of all pairs or more, with one weight an edge, edges enough and rows that are
// wide enough. A query's edges are never taken so: its answer would round by how many others are
// asked.
[[nodiscard]] bool dense_is_faster(const CsrGraph& graph, const MessageWeights& weights,
                                   const at::Tensor& sources);

// propagate() with weights of one head, differentiable as that is. The matrix [targets, sources] is
// made of the edges for each call; the BLAS has its own order of sums.
[[nodiscard]] at::Tensor dense_propagate(const CsrGraph& graph, const MessageWeights& weights,
                                         const at::Tensor& sources, const at::Tensor& targets);

}  // namespace espalier
