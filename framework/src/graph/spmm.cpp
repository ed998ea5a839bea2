#include <espalier/graph/spmm.hpp>

#include <ATen/Dispatch.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>

#include <espalier/core/error.hpp>

#include "dense_product_internal.hpp"
#include "kernel_internal.hpp"

namespace espalier {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

template <class T>
void scale(T factor, const T* __restrict from, T* __restrict to, std::int64_t n) {
  for (std::int64_t c = 0; c < n; ++c) to[c] = factor * from[c];
}
template <class T>
void add_scaled(T factor, const T* __restrict from, T* __restrict to, std::int64_t n) {
  for (std::int64_t c = 0; c < n; ++c) to[c] += factor * from[c];
}

// One product: y[i] = own_weight[i] * own[i] + sum over the edges of weight[e] * x[node[e]], with
// the width cut into heads; and on the way, where wanted, dot[e] = other[i] . x[node[e]] a head.
template <class T>
struct Product {
  EdgeRows edges;
  std::int64_t heads = 1;
  std::int64_t part = 0;      // width of a head
  const T* weight = nullptr;  // null: ones
  const T* x = nullptr;
  const T* own_weight = nullptr;  // null: zeros
  const T* own = nullptr;
  T* y = nullptr;
  const T* other = nullptr;
  T* dot = nullptr;

  [[nodiscard]] std::int64_t width() const { return heads * part; }

  void begin_row(std::int64_t i) const {
    T* const sum = y + i * width();
    if (own_weight == nullptr) {
      std::fill(sum, sum + width(), T(0));
      return;
    }
    for (std::int64_t h = 0; h < heads; ++h) {
      scale(own_weight[i * heads + h], own + i * width() + h * part, sum + h * part, part);
    }
  }

  void add_edge(std::int64_t i, std::int64_t k) const {
    const T* const row = x + edges.node[k] * width();
    const std::int64_t first = edges.place(k) * heads;
    for (std::int64_t h = 0; h < heads; ++h) {
      const T factor = weight == nullptr ? T(1) : weight[first + h];
      add_scaled(factor, row + h * part, y + i * width() + h * part, part);
    }
    if (dot == nullptr) return;
    for (std::int64_t h = 0; h < heads; ++h) {
      dot[first + h] = inner_product(other + i * width() + h * part, row + h * part, part);
    }
  }

  void run() const {
    for_rows(edges, width(), [&](std::int64_t i) {
      begin_row(i);
      for (std::int64_t k = edges.begin[i]; k < edges.begin[i + 1]; ++k) {
        fetch_ahead(edges, k, x, width());
        fetch_place_ahead(edges, k, weight, heads);
        fetch_place_ahead<T>(edges, k, dot, heads);
        add_edge(i, k);
      }
    });
  }
};

std::int64_t heads_of(const MessageWeights& weights) {
  for (const at::Tensor& weight : {weights.edge, weights.own}) {
    if (weight.defined() && weight.dim() == 2) return weight.size(1);
  }
  return 1;
}

template <class T>
void run_forward(const CsrGraph& graph, const MessageWeights& weights, const at::Tensor& sources,
                 const at::Tensor& targets, at::Tensor& y) {
  Product<T>{.edges = by_target(graph),
             .heads = heads_of(weights),
             .part = sources.size(1) / heads_of(weights),
             .weight = data_or_null<T>(weights.edge),
             .x = sources.data_ptr<T>(),
             .own_weight = data_or_null<T>(weights.own),
             .own = data_or_null<T>(targets),
             .y = y.data_ptr<T>()}
      .run();
}

at::Tensor forward_on_cpu(const CsrGraph& graph, const MessageWeights& weights,
                          const at::Tensor& sources, const at::Tensor& targets) {
  at::Tensor y = at::empty({graph.targets, sources.size(1)}, sources.options());
  const MessageWeights plain{straight(weights.edge), straight(weights.own)};
  AT_DISPATCH_FLOATING_TYPES(sources.scalar_type(), "spmm", [&] {
    run_forward<scalar_t>(graph, plain, sources.contiguous(), straight(targets), y);
  });
  return y;
}

// Gradients of what went into a product on the CPU.
struct Gradients {
  at::Tensor edge;
  at::Tensor sources;
};

// One pass over the edges by source: dx sums up dy of their targets, and each edge's weight gets
// the inner product of dy with the source's row.
template <class T>
void run_backward(const EdgeIndex& index, const MessageWeights& weights, const at::Tensor& sources,
                  const at::Tensor& dy, bool own_too, Gradients& out) {
  Product<T>{.edges = by_source(index),
             .heads = heads_of(weights),
             .part = dy.size(1) / heads_of(weights),
             .weight = data_or_null<T>(weights.edge),
             .x = dy.data_ptr<T>(),
             .own_weight = own_too ? weights.own.data_ptr<T>() : nullptr,
             .own = dy.data_ptr<T>(),
             .y = out.sources.data_ptr<T>(),
             .other = sources.data_ptr<T>(),
             .dot = out.edge.defined() ? out.edge.data_ptr<T>() : nullptr}
      .run();
}

class Spmm : public torch::autograd::Function<Spmm> {
 public:
  static Variable forward(AutogradContext* context, const CsrGraph& graph, const Variable& edge,
                          const Variable& own, const Variable& sources, const Variable& targets) {
    context->save_for_backward({edge, own, sources, targets});
    keep_structure(context, graph);
    const MessageWeights weights{unless_empty(edge), unless_empty(own)};
    // A square graph's own states may be its sources: they have one gradient then.
    context->saved_data["shared"] = weights.own.defined() && targets.is_same(sources);
    return forward_on_cpu(graph, weights, sources, targets);
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const MessageWeights weights{straight(unless_empty(saved[0])),
                                 straight(unless_empty(saved[1]))};
    const at::Tensor dy = gradients[0].contiguous();
    const bool shared = context->saved_data["shared"].toBool();
    Gradients of;
    if (context->needs_input_grad(0)) of.edge = at::empty(saved[0].sizes(), dy.options());
    if (context->needs_input_grad(0) || context->needs_input_grad(2)) {
      of.sources = at::empty(saved[2].sizes(), saved[2].options());
      const CsrGraph graph = kept_structure(context);
      AT_DISPATCH_FLOATING_TYPES(dy.scalar_type(), "spmm_backward", [&] {
        run_backward<scalar_t>(*graph.index, weights, saved[2].contiguous(), dy, shared, of);
      });
    }
    at::Tensor own;
    at::Tensor targets;
    const std::int64_t heads = heads_of(weights);
    if (context->needs_input_grad(1)) {
      own = (in_heads(dy, heads) * in_heads(saved[3].contiguous(), heads)).sum(2);
      own = own.view(saved[1].sizes());
    }
    if (context->needs_input_grad(3) && weights.own.defined() && !shared) {
      targets = (in_heads(dy, heads) * weights.own.view({-1, heads, 1})).view(dy.sizes());
    }
    if (!context->needs_input_grad(2)) of.sources = at::Tensor();
    return {at::Tensor(), of.edge, own, of.sources, targets};
  }
};

// LibTorch's own, differentiable as they are.
at::Tensor gathered_sums(const CsrGraph& graph, const at::Tensor& weight, const at::Tensor& x) {
  at::Tensor messages = x.index_select(0, graph.col);
  if (weight.defined()) {
    const std::int64_t heads = weight.dim() == 2 ? weight.size(1) : 1;
    messages = (in_heads(messages, heads) * weight.view({-1, heads, 1})).view(messages.sizes());
  }
  const at::Tensor start = at::zeros({graph.targets, x.size(1)}, x.options());
  return start.index_add(0, edge_index(graph)->row, messages);
}

at::Tensor on_device(const CsrGraph& graph, const MessageWeights& weights,
                     const at::Tensor& sources, const at::Tensor& targets) {
  const at::Tensor sums = gathered_sums(graph, weights.edge, sources);
  if (!weights.own.defined()) return sums;
  const std::int64_t heads = heads_of(weights);
  const at::Tensor factor = weights.own.view({-1, heads, 1});
  return sums + (in_heads(targets, heads) * factor).view(sums.sizes());
}

void require_fit(const CsrGraph& graph, const MessageWeights& weights, const at::Tensor& sources,
                 const at::Tensor& targets) {
  ESPALIER_ASSERT(sources.dim() == 2 && sources.size(0) == graph.sources, "one row of x a source");
  ESPALIER_ASSERT(!weights.edge.defined() || weights.edge.size(0) == graph.edges(),
                  "one weight an edge");
  ESPALIER_ASSERT(sources.size(1) % heads_of(weights) == 0, "heads of equal width");
  if (!weights.own.defined()) return;
  ESPALIER_ASSERT(weights.own.size(0) == graph.targets && targets.size(0) == graph.targets &&
                      targets.size(1) == sources.size(1),
                  "one weight and one row a target");
}

}  // namespace

at::Tensor weighted_row_sums(const EdgeRows& rows, const at::Tensor& weight, const at::Tensor& x) {
  at::Tensor sums = at::empty({rows.rows, x.size(1)}, x.options());
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "weighted_row_sums", [&] {
    Product<scalar_t>{.edges = rows,
                      .heads = weight.size(1),
                      .part = x.size(1) / weight.size(1),
                      .weight = weight.data_ptr<scalar_t>(),
                      .x = x.data_ptr<scalar_t>(),
                      .y = sums.data_ptr<scalar_t>()}
        .run();
  });
  return sums;
}

at::Tensor propagate(const CsrGraph& graph, const MessageWeights& weights,
                     const at::Tensor& sources, const at::Tensor& targets) {
  require_fit(graph, weights, sources, targets);
  if (!sources.is_cpu()) return on_device(graph, weights, sources, targets);
  if (dense_is_faster(graph, weights, sources)) {
    return dense_propagate(graph, weights, sources, targets);
  }
  if (!differentiable({weights.edge, weights.own, sources, targets})) {
    return forward_on_cpu(graph, weights, sources, targets);
  }
  return Spmm::apply(graph, or_empty(weights.edge, sources), or_empty(weights.own, sources),
                     sources, or_empty(targets, sources));
}

at::Tensor spmm(const CsrGraph& graph, const at::Tensor& weight, const at::Tensor& x) {
  return propagate(graph, {.edge = weight, .own = {}}, x, {});
}

}  // namespace espalier
