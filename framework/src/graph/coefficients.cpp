#include <espalier/graph/coefficients.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros_like.h>

#include <espalier/core/error.hpp>
#include <espalier/graph/spmm.hpp>
#include <string>

namespace espalier {
namespace {

void refuse_negative(const at::Tensor& weight) {
  if (weight.numel() == 0) return;
  const double least = weight.min().item<double>();
  if (least >= 0) return;
  throw Error({.what = "symmetric normalisation of a graph with negative weights",
               .where = {},
               .expected = "weights of at least 0",
               .found = std::to_string(least),
               .fix = "let the graph builder clamp or shift its weights"});
}

at::Tensor inverse_root(const at::Tensor& degree) {
  const at::Tensor positive = degree > 0;
  const at::Tensor safe = at::where(positive, degree, at::ones_like(degree));
  return at::where(positive, safe.rsqrt(), at::zeros_like(degree));
}

}  // namespace

GcnCoefficients gcn_coefficients(const CsrGraph& graph, const at::Tensor& weight,
                                 const GcnOptions& options) {
  if (!options.normalize) {
    return {.edge = weight,
            .loop = at::full({graph.targets}, options.loop_weight, weight.options())};
  }
  refuse_negative(weight);
  const at::Tensor ones = at::ones({graph.sources, 1}, weight.options());
  const at::Tensor target =
      inverse_root(spmm(graph, weight, ones).squeeze(1) + options.loop_weight);
  const at::Tensor source =
      graph.square()
          ? target
          : inverse_root(graph.source_degree.to(weight.scalar_type()) + options.loop_weight);
  const at::Tensor row = edge_index(graph)->row;
  return {.edge = weight * target.index_select(0, row) * source.index_select(0, graph.col),
          .loop = target * target * options.loop_weight};
}

at::Tensor propagate(const CsrGraph& graph, const GcnCoefficients& coefficients,
                     const at::Tensor& sources, const at::Tensor& targets) {
  return spmm(graph, coefficients.edge, sources) + coefficients.loop.unsqueeze(1) * targets;
}

}  // namespace espalier
