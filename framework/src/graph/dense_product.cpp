#include <ATen/Dispatch.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/zeros.h>

#include "dense_product_internal.hpp"
#include "kernel_internal.hpp"

namespace espalier {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

at::Tensor matrix_of(const CsrGraph& graph, const at::Tensor& weight, at::ScalarType type) {
  at::Tensor matrix = at::zeros({graph.targets, graph.sources}, at::TensorOptions(type));
  const EdgeRows rows = by_target(graph);
  AT_DISPATCH_FLOATING_TYPES(type, "matrix_of", [&] {
    auto* const to = matrix.data_ptr<scalar_t>();
    const auto* const of_edge = data_or_null<scalar_t>(weight);
    for_rows(rows, 1, [&](std::int64_t i) {
      for (std::int64_t k = rows.begin[i]; k < rows.begin[i + 1]; ++k) {
        to[i * graph.sources + rows.node[k]] += of_edge == nullptr ? scalar_t(1) : of_edge[k];
      }
    });
  });
  return matrix;
}

// The entries of a matrix where there are edges.
at::Tensor at_edges(const CsrGraph& graph, const at::Tensor& given) {
  const at::Tensor matrix = given.contiguous();
  at::Tensor values = at::empty({graph.edges()}, matrix.options());
  const EdgeRows rows = by_target(graph);
  AT_DISPATCH_FLOATING_TYPES(matrix.scalar_type(), "at_edges", [&] {
    const auto* const from = matrix.data_ptr<scalar_t>();
    auto* const to = values.data_ptr<scalar_t>();
    for_rows(rows, 1, [&](std::int64_t i) {
      for (std::int64_t k = rows.begin[i]; k < rows.begin[i + 1]; ++k) {
        to[k] = from[i * graph.sources + rows.node[k]];
      }
    });
  });
  return values;
}

class EdgeMatrix : public torch::autograd::Function<EdgeMatrix> {
 public:
  static Variable forward(AutogradContext* context, const CsrGraph& graph, const Variable& weight) {
    keep_structure(context, graph);
    context->saved_data["sizes"] = weight.sizes();
    return matrix_of(graph, weight.contiguous(), weight.scalar_type());
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const at::Tensor of_edge = at_edges(kept_structure(context), gradients[0]);
    return {at::Tensor(), of_edge.view(context->saved_data["sizes"].toIntVector())};
  }
};

}  // namespace

bool dense_is_faster(const CsrGraph& graph, const MessageWeights& weights,
                     const at::Tensor& sources) {
  constexpr std::int64_t most_nodes = 4096, fewest_edges = 1 << 14, least_width = 16;
  const bool one_head =
      !weights.edge.defined() || weights.edge.dim() == 1 || weights.edge.size(1) == 1;
  return graph.square() && graph.targets <= most_nodes && graph.edges() >= fewest_edges &&
         2 * graph.edges() >= graph.targets * graph.sources && one_head &&
         sources.size(1) >= least_width;
}

at::Tensor dense_propagate(const CsrGraph& graph, const MessageWeights& weights,
                           const at::Tensor& sources, const at::Tensor& targets) {
  const at::Tensor matrix = differentiable({weights.edge})
                                ? EdgeMatrix::apply(graph, weights.edge)
                                : matrix_of(graph, straight(weights.edge), sources.scalar_type());
  const at::Tensor sums = at::mm(matrix, sources);
  return weights.own.defined() ? sums + weights.own.view({-1, 1}) * targets : sums;
}

}  // namespace espalier
