#include <espalier/graph/coefficients.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <espalier/core/error.hpp>
#include <string>

namespace espalier {
namespace {

at::Tensor not_negative(const at::Tensor& weight, const std::string& negative) {
  if (weight.numel() == 0) return weight;
  const double least = weight.min().item<double>();
  if (least >= 0) return weight;
  if (negative == "clamp") return weight.clamp_min(0);
  throw Error({.what = "symmetric normalisation of a graph with negative weights",
               .where = {},
               .expected = "weights of at least 0",
               .found = std::to_string(least),
               .fix = "let the graph builder clamp or shift its weights, or set gnn's "
                      "negative_weights: clamp"});
}

at::Tensor inverse_root(const at::Tensor& degree) {
  const at::Tensor positive = degree > 0;
  const at::Tensor safe = at::where(positive, degree, at::ones_like(degree));
  return at::where(positive, safe.rsqrt(), at::zeros_like(degree));
}

// The weight of the loop that each target still has to get.
at::Tensor missing_loops(const CsrGraph& graph, const at::Tensor& weight, double loop_weight) {
  at::Tensor loops = at::full({graph.targets}, loop_weight, weight.options().requires_grad(false));
  const auto index = edge_index(graph);
  if (graph.square() && index->loops.defined()) {
    loops.index_fill_(0, graph.col.index_select(0, index->loops), 0);
  }
  return loops;
}

at::Tensor weighted_degree(const CsrGraph& graph, const at::Tensor& weight) {
  const at::Tensor ones = at::ones({graph.sources, 1}, weight.options().requires_grad(false));
  return spmm(graph, weight, ones).squeeze(1);
}

}  // namespace

MessageWeights gcn_coefficients(const CsrGraph& graph, const at::Tensor& given,
                                const GcnOptions& options) {
  const bool loops = options.loop_weight != 0;
  const at::Tensor loop = loops ? missing_loops(graph, given, options.loop_weight) : at::Tensor();
  if (!options.normalize) return {.edge = given, .own = loop};
  const at::Tensor weight = not_negative(given, options.negative);
  at::Tensor degree = weighted_degree(graph, weight);
  if (loops) degree = degree + loop;
  const at::Tensor target = inverse_root(degree);
  const at::Tensor source =
      graph.square()
          ? target
          : inverse_root(graph.source_degree.to(weight.scalar_type()) + options.loop_weight);
  const at::Tensor row = edge_index(graph)->row;
  return {.edge = weight * target.index_select(0, row) * source.index_select(0, graph.col),
          .own = loops ? target * target * loop : at::Tensor()};
}

at::Tensor scaled_laplacian(const CsrGraph& graph, const at::Tensor& given,
                            const std::string& negative) {
  ESPALIER_ASSERT(graph.square(), "a Laplacian is of a square graph");
  const auto index = edge_index(graph);
  at::Tensor weight = not_negative(given, negative);
  if (index->loops.defined()) weight = weight.index_fill(0, index->loops, 0);
  const at::Tensor none = at::zeros({graph.sources}, weight.options().requires_grad(false));
  const at::Tensor root = inverse_root(none.index_add(0, graph.col, weight));
  return -weight * root.index_select(0, index->row) * root.index_select(0, graph.col);
}

}  // namespace espalier
