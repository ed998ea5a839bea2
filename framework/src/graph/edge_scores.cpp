#include <espalier/graph/attention.hpp>

#include <ATen/Dispatch.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <espalier/core/error.hpp>
#include <espalier/graph/segment.hpp>

#include "kernel_internal.hpp"

namespace espalier {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

// GATv2's scores and what they send back.
template <class T>
struct PairPointers {
  std::int64_t heads;
  std::int64_t part;
  T slope;
  const T* source;
  const T* target;
  const T* edge;
  const T* weight;

  [[nodiscard]] std::int64_t width() const { return heads * part; }
  // z and calls take(column, z, LeakyReLU's slope there) for each column of an edge.
  template <class Take>
  void columns(std::int64_t i, std::int64_t j, std::int64_t e, std::int64_t h,
               const Take& take) const {
    for (std::int64_t c = h * part; c < (h + 1) * part; ++c) {
      T z = source[j * width() + c] + target[i * width() + c];
      if (edge != nullptr) z += edge[e * width() + c];
      take(c, z, z > 0 ? T(1) : slope);
    }
  }
};

template <class T>
PairPointers<T> pair_pointers(const variable_list& tensors, double slope) {
  return {.heads = tensors[3].size(0),
          .part = tensors[3].size(1),
          .slope = static_cast<T>(slope),
          .source = tensors[0].data_ptr<T>(),
          .target = tensors[1].data_ptr<T>(),
          .edge = data_or_null<T>(unless_empty(tensors[2])),
          .weight = tensors[3].data_ptr<T>()};
}

// Rows whose share of a weight's gradient is summed up at a time: fixed, so that the sum does not
// depend on the threads.
constexpr std::int64_t rows_in_a_block = 256;

template <class T>
void pair_backward_by_target(const EdgeRows& rows, const PairPointers<T>& pairs, const T* in,
                             T* target, T* edge, at::Tensor& weight_sums) {
  const std::int64_t width = pairs.width();
  const std::int64_t blocks = weight_sums.size(0);
  T* const sums = weight_sums.data_ptr<T>();
  const auto block = [&](std::int64_t b) {
    const std::int64_t last = std::min(rows.rows, (b + 1) * rows_in_a_block);
    for (std::int64_t i = b * rows_in_a_block; i < last; ++i) {
      for (std::int64_t k = rows.begin[i]; k < rows.begin[i + 1]; ++k) {
        for (std::int64_t h = 0; h < pairs.heads; ++h) {
          const T score = in[k * pairs.heads + h];
          pairs.columns(i, rows.node[k], k, h, [&](std::int64_t c, T z, T slope) {
            const T share = score * pairs.weight[c] * slope;
            target[i * width + c] += share;
            if (edge != nullptr) edge[k * width + c] = share;
            sums[b * width + c] += score * slope * z;
          });
        }
      }
    }
  };
  parallel_for(0, blocks, 1, [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t b = from; b < to; ++b) block(b);
  });
}

template <class T>
void pair_backward_by_source(const EdgeRows& rows, const PairPointers<T>& pairs, const T* in,
                             T* source) {
  const std::int64_t width = pairs.width();
  for_rows(rows, width, [&](std::int64_t j) {
    for (std::int64_t k = rows.begin[j]; k < rows.begin[j + 1]; ++k) {
      const std::int64_t e = rows.place(k);
      for (std::int64_t h = 0; h < pairs.heads; ++h) {
        const T score = in[e * pairs.heads + h];
        pairs.columns(rows.node[k], j, e, h, [&](std::int64_t c, T, T slope) {
          source[j * width + c] += score * pairs.weight[c] * slope;
        });
      }
    }
  });
}

// `inputs` are sources, targets, edges, which may be an empty vector, and the weight.
at::Tensor pair_scores(const CsrGraph& graph, const variable_list& inputs, double slope) {
  at::Tensor scores = at::empty({graph.edges(), inputs[3].size(0)}, inputs[0].options());
  const EdgeRows rows = by_target(graph);
  AT_DISPATCH_FLOATING_TYPES(scores.scalar_type(), "edge_scores", [&] {
    const auto pairs = pair_pointers<scalar_t>(inputs, slope);
    auto* const to = scores.data_ptr<scalar_t>();
    for_rows(rows, pairs.width(), [&](std::int64_t i) {
      for (std::int64_t k = rows.begin[i]; k < rows.begin[i + 1]; ++k) {
        fetch_ahead(rows, k, pairs.source, pairs.width());
        for (std::int64_t h = 0; h < pairs.heads; ++h) {
          scalar_t sum = 0;
          pairs.columns(i, rows.node[k], k, h, [&](std::int64_t c, scalar_t z, scalar_t bend) {
            sum += pairs.weight[c] * bend * z;
          });
          to[k * pairs.heads + h] = sum;
        }
      }
    });
  });
  return scores;
}

class EdgeScores : public torch::autograd::Function<EdgeScores> {
 public:
  static Variable forward(AutogradContext* context, const CsrGraph& graph, const Variable& sources,
                          const Variable& targets, const Variable& edge, const Variable& weight,
                          double slope) {
    keep_structure(context, graph);
    context->saved_data["slope"] = slope;
    const variable_list inputs = {sources.contiguous(), targets.contiguous(), edge.contiguous(),
                                  weight.contiguous()};
    context->save_for_backward(inputs);
    return pair_scores(graph, inputs, slope);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const CsrGraph graph = kept_structure(context);
    const double slope = context->saved_data["slope"].toDouble();
    const at::Tensor in = gradients[0].contiguous();
    const at::Tensor source = at::zeros_like(saved[0]);
    const at::Tensor target = at::zeros_like(saved[1]);
    const bool has_edges = unless_empty(saved[2]).defined();
    const at::Tensor edge = has_edges ? at::empty_like(saved[2]) : at::Tensor();
    const std::int64_t blocks = (graph.targets + rows_in_a_block - 1) / rows_in_a_block;
    at::Tensor weight = at::zeros({blocks, saved[3].numel()}, in.options());
    AT_DISPATCH_FLOATING_TYPES(in.scalar_type(), "edge_scores_backward", [&] {
      const auto pairs = pair_pointers<scalar_t>(saved, slope);
      const auto* const from = in.data_ptr<scalar_t>();
      pair_backward_by_target(by_target(graph), pairs, from, target.data_ptr<scalar_t>(),
                              data_or_null<scalar_t>(edge), weight);
      pair_backward_by_source(by_source(*graph.index), pairs, from, source.data_ptr<scalar_t>());
    });
    return {at::Tensor(), source, target, edge, weight.sum(0).view(saved[3].sizes()), at::Tensor()};
  }
};

// The inner products of each edge's two rows, as SDDMM.
at::Tensor products(const CsrGraph& graph, const at::Tensor& sources, const at::Tensor& targets,
                    std::int64_t heads) {
  const std::int64_t width = sources.size(1);
  at::Tensor out = at::empty({graph.edges(), heads}, sources.options());
  const EdgeRows rows = by_target(graph);
  AT_DISPATCH_FLOATING_TYPES(sources.scalar_type(), "edge_products", [&] {
    const auto* const from = sources.data_ptr<scalar_t>();
    const auto* const own = targets.data_ptr<scalar_t>();
    auto* const to = out.data_ptr<scalar_t>();
    const std::int64_t part = width / heads;
    for_rows(rows, width, [&](std::int64_t i) {
      for (std::int64_t k = rows.begin[i]; k < rows.begin[i + 1]; ++k) {
        fetch_ahead(rows, k, from, width);
        for (std::int64_t h = 0; h < heads; ++h) {
          to[k * heads + h] = inner_product(own + i * width + h * part,
                                            from + rows.node[k] * width + h * part, part);
        }
      }
    });
  });
  return out;
}

class EdgeProducts : public torch::autograd::Function<EdgeProducts> {
 public:
  static Variable forward(AutogradContext* context, const CsrGraph& graph, const Variable& sources,
                          const Variable& targets, std::int64_t heads) {
    keep_structure(context, graph);
    context->saved_data["heads"] = heads;
    const variable_list inputs = {sources.contiguous(), targets.contiguous()};
    context->save_for_backward(inputs);
    return products(graph, inputs[0], inputs[1], heads);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const CsrGraph graph = kept_structure(context);
    const at::Tensor in = gradients[0].contiguous();
    return {at::Tensor(), weighted_row_sums(by_source(*graph.index), in, saved[1]),
            weighted_row_sums(by_target(graph), in, saved[0]), at::Tensor()};
  }
};

}  // namespace

at::Tensor edge_products(const CsrGraph& graph, const at::Tensor& sources,
                         const at::Tensor& targets, std::int64_t heads) {
  ESPALIER_ASSERT(sources.size(0) == graph.sources && targets.size(0) == graph.targets &&
                      sources.size(1) == targets.size(1) && sources.size(1) % heads == 0,
                  "rows of equal heads");
  if (sources.is_cpu()) {
    return differentiable({sources, targets})
               ? EdgeProducts::apply(graph, sources, targets, heads)
               : products(graph, sources.contiguous(), targets.contiguous(), heads);
  }
  const at::Tensor both = gather_sources(graph, sources) * gather_targets(graph, targets);
  return in_heads(both, heads).sum(2);
}

at::Tensor edge_scores(const CsrGraph& graph, const at::Tensor& sources, const at::Tensor& targets,
                       const at::Tensor& edge, const at::Tensor& weight, double slope) {
  ESPALIER_ASSERT(sources.size(1) == weight.numel() && targets.size(1) == weight.numel(),
                  "a weight a column");
  if (sources.is_cpu()) {
    return differentiable({sources, targets, edge, weight})
               ? EdgeScores::apply(graph, sources, targets, or_empty(edge, sources), weight, slope)
               : pair_scores(graph,
                             {sources.contiguous(), targets.contiguous(),
                              or_empty(edge, sources).contiguous(), weight.contiguous()},
                             slope);
  }
  at::Tensor sum = gather_sources(graph, sources) + gather_targets(graph, targets);
  if (edge.defined()) sum = sum + edge;
  const at::Tensor bent = at::leaky_relu(sum, slope).view({-1, weight.size(0), weight.size(1)});
  return (bent * weight).sum(2);
}

}  // namespace espalier
