// Softmax over the edges that arrive at a node.
#pragma once

#include <espalier/graph/csr.hpp>
#include <espalier/graph/spmm.hpp>
#include <espalier/tensor/tensor.hpp>

namespace espalier {

// What the score of an edge e from j to i is the sum of, by heads; undefined counts as zeros.
struct AttentionScores {
  at::Tensor source = {};  // [sources, heads], of j
  at::Tensor target = {};  // [targets, heads], of i
  at::Tensor edge = {};    // [edges, heads], of e; -infinity takes the edge out
  // [targets, heads], what i has in the place of source and edge where it attends to itself as
  // well; undefined: it does not.
  at::Tensor own = {};
};

// Scores through LeakyReLU of this slope below 0, then exp(score - largest) / sum over the edges of
// a target and itself. Heads add up to 1 for each target that has an edge or itself. Differentiable
// in all scores, deterministic on the CPU as spmm() is.
[[nodiscard]] MessageWeights attention_weights(const CsrGraph& graph, const AttentionScores& scores,
                                               double slope = 1);

// The softmax of values [edges, heads] over the edges of each target.
[[nodiscard]] at::Tensor segment_softmax(const CsrGraph& graph, const at::Tensor& values);

// For layers that put a self-loop of their own in the place of those that a square graph may have.
// Scores [edges, heads] with -infinity at the graph's self-loops; undefined scores are zeros.
[[nodiscard]] at::Tensor without_loops(const CsrGraph& graph, const at::Tensor& scores,
                                       std::int64_t heads);
// The mean of values [edges, d] over each target's edges that are no self-loops, [targets, d]; 0
// where there are none.
[[nodiscard]] at::Tensor mean_without_loops(const CsrGraph& graph, const at::Tensor& values);

// [edges, heads]: of each edge the inner products of its source's and its target's row, head by
// head (SDDMM), for sources [sources, heads * c] and targets [targets, heads * c].
[[nodiscard]] at::Tensor edge_products(const CsrGraph& graph, const at::Tensor& sources,
                                       const at::Tensor& targets, std::int64_t heads);

// [edges, heads]: sum over c of weight[h, c] LeakyReLU(source + target + edge)[h, c], GATv2's score
// (Brody et al. 2022), for rows of heads * c columns and weight [heads, c]; `edge` may be
// undefined. Nothing of size [edges, heads * c] is made.
[[nodiscard]] at::Tensor edge_scores(const CsrGraph& graph, const at::Tensor& sources,
                                     const at::Tensor& targets, const at::Tensor& edge,
                                     const at::Tensor& weight, double slope);

}  // namespace espalier
