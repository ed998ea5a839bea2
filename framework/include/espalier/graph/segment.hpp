// From nodes to edges and back. All are differentiable; on the CPU a sum runs in the order of the
// edges, whatever the number of threads.
#pragma once

#include <espalier/graph/csr.hpp>
#include <espalier/tensor/tensor.hpp>

namespace espalier {

// Rows of x by edge, [edges, d]: of its source, x [sources, d], or its target, x [targets, d].
[[nodiscard]] at::Tensor gather_sources(const CsrGraph& graph, const at::Tensor& x);
[[nodiscard]] at::Tensor gather_targets(const CsrGraph& graph, const at::Tensor& x);

// Over the edges of each target, values [edges, d] to [targets, d]; 0 where there are none. Of
// equal largest values each gets its share of the gradient.
[[nodiscard]] at::Tensor segment_sum(const CsrGraph& graph, const at::Tensor& values);
[[nodiscard]] at::Tensor segment_mean(const CsrGraph& graph, const at::Tensor& values);
[[nodiscard]] at::Tensor segment_max(const CsrGraph& graph, const at::Tensor& values);

// segment_max(gather_sources(x)) without anything of size [edges, d].
[[nodiscard]] at::Tensor neighbour_max(const CsrGraph& graph, const at::Tensor& x);

// One over the number of edges of each edge's target, [edges]: spmm() with them takes means.
[[nodiscard]] at::Tensor mean_weights(const CsrGraph& graph, const at::Tensor& like);

// Number of edges of each target, in the options of `like`, [targets].
[[nodiscard]] at::Tensor edge_counts(const CsrGraph& graph, const at::Tensor& like);

}  // namespace espalier
