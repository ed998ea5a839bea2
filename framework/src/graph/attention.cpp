#include <espalier/graph/attention.hpp>

#include <ATen/Dispatch.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/full.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/maximum.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <cmath>
#include <espalier/core/error.hpp>
#include <espalier/graph/segment.hpp>
#include <limits>

#include "kernel_internal.hpp"

namespace espalier {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

template <class T>
struct ScorePointers {
  std::int64_t heads;
  T slope;
  const T* source;
  const T* target;
  const T* edge;
  const T* own;

  ScorePointers(const AttentionScores& scores, std::int64_t head_count, double below)
      : heads(head_count),
        slope(static_cast<T>(below)),
        source(data_or_null<T>(scores.source)),
        target(data_or_null<T>(scores.target)),
        edge(data_or_null<T>(scores.edge)),
        own(data_or_null<T>(scores.own)) {}

  [[nodiscard]] T of_target(std::int64_t i, std::int64_t h) const {
    return target == nullptr ? T(0) : target[i * heads + h];
  }
  // Before LeakyReLU.
  [[nodiscard]] T of_edge(const EdgeRows& rows, std::int64_t i, std::int64_t k,
                          std::int64_t h) const {
    T sum = of_target(i, h);
    if (source != nullptr) sum += source[rows.node[k] * heads + h];
    if (edge != nullptr) sum += edge[k * heads + h];
    return sum;
  }
  [[nodiscard]] T of_own(std::int64_t i, std::int64_t h) const {
    return own[i * heads + h] + of_target(i, h);
  }
  [[nodiscard]] T bent(T z) const { return z > 0 ? z : slope * z; }
  [[nodiscard]] T bend(T z) const { return z > 0 ? T(1) : slope; }
};

// One target's softmax, of each head.
template <class T>
void weigh_row(const EdgeRows& rows, const ScorePointers<T>& scores, std::int64_t i, T* edge,
               T* own) {
  const std::int64_t heads = scores.heads;
  const std::int64_t first = rows.begin[i];
  const std::int64_t last = rows.begin[i + 1];
  for (std::int64_t h = 0; h < heads; ++h) {
    T most = -std::numeric_limits<T>::infinity();
    if (scores.own != nullptr) most = own[i * heads + h] = scores.bent(scores.of_own(i, h));
    for (std::int64_t k = first; k < last; ++k) {
      const T score = scores.bent(scores.of_edge(rows, i, k, h));
      edge[k * heads + h] = score;
      most = std::max(most, score);
    }
    T sum = 0;
    const auto rise = [&](T& score) { sum += score = std::exp(score - most); };
    for (std::int64_t k = first; k < last; ++k) rise(edge[k * heads + h]);
    if (scores.own != nullptr) rise(own[i * heads + h]);
    const T factor = T(1) / (sum + static_cast<T>(1e-16));
    for (std::int64_t k = first; k < last; ++k) edge[k * heads + h] *= factor;
    if (scores.own != nullptr) own[i * heads + h] *= factor;
  }
}

// What the weights of one target send back to the scores before LeakyReLU.
template <class T>
struct WeightGradients {
  const T* edge;  // the weights
  const T* own;
  const T* edge_in;  // their gradients
  const T* own_in;
  T* edge_out;  // those of the scores
  T* own_out;
  T* target_out;

  void row(const EdgeRows& rows, const ScorePointers<T>& scores, std::int64_t i) const {
    const std::int64_t heads = scores.heads;
    for (std::int64_t h = 0; h < heads; ++h) {
      T mean = scores.own == nullptr ? T(0) : own[i * heads + h] * own_in[i * heads + h];
      for (std::int64_t k = rows.begin[i]; k < rows.begin[i + 1]; ++k) {
        mean += edge[k * heads + h] * edge_in[k * heads + h];
      }
      T sum = 0;
      for (std::int64_t k = rows.begin[i]; k < rows.begin[i + 1]; ++k) {
        const std::int64_t at = k * heads + h;
        const T slope = scores.bend(scores.of_edge(rows, i, k, h));
        sum += edge_out[at] = edge[at] * (edge_in[at] - mean) * slope;
      }
      if (scores.own != nullptr) {
        const std::int64_t at = i * heads + h;
        sum += own_out[at] = own[at] * (own_in[at] - mean) * scores.bend(scores.of_own(i, h));
      }
      target_out[i * heads + h] = sum;
    }
  }
};

std::int64_t heads_of(const AttentionScores& scores) {
  for (const at::Tensor& part : {scores.source, scores.target, scores.edge, scores.own}) {
    if (part.defined()) return part.size(1);
  }
  ESPALIER_ASSERT(false, "attention by some score");
  return 0;
}

at::TensorOptions options_of(const AttentionScores& scores) {
  for (const at::Tensor& part : {scores.source, scores.target, scores.edge}) {
    if (part.defined()) return part.options().requires_grad(false);
  }
  return scores.own.options().requires_grad(false);
}

AttentionScores plain(const AttentionScores& scores) {
  return {.source = straight(scores.source),
          .target = straight(scores.target),
          .edge = straight(scores.edge),
          .own = straight(scores.own)};
}

// `own` is empty where a target does not attend to itself.
MessageWeights weigh(const CsrGraph& graph, const AttentionScores& from_outside, double slope) {
  const AttentionScores scores = plain(from_outside);
  const std::int64_t heads = heads_of(scores);
  const at::TensorOptions options = options_of(scores);
  MessageWeights weights{at::empty({graph.edges(), heads}, options),
                         at::empty({scores.own.defined() ? graph.targets : 0, heads}, options)};
  const EdgeRows rows = by_target(graph);
  AT_DISPATCH_FLOATING_TYPES(weights.edge.scalar_type(), "attention", [&] {
    const ScorePointers<scalar_t> from(scores, heads, slope);
    auto* const edge = weights.edge.data_ptr<scalar_t>();
    auto* const own = weights.own.data_ptr<scalar_t>();
    for_rows(rows, 16 * heads, [&](std::int64_t i) { weigh_row(rows, from, i, edge, own); });
  });
  return weights;
}

// Scores as autograd hands them on.
AttentionScores given(const variable_list& scores) {
  return {.source = unless_empty(scores[0]),
          .target = unless_empty(scores[1]),
          .edge = unless_empty(scores[2]),
          .own = unless_empty(scores[3])};
}

class Attention : public torch::autograd::Function<Attention> {
 public:
  static variable_list forward(AutogradContext* context, const CsrGraph& graph,
                               const Variable& source, const Variable& target, const Variable& edge,
                               const Variable& own, double slope) {
    keep_structure(context, graph);
    context->saved_data["slope"] = slope;
    const MessageWeights weights = weigh(graph, given({source, target, edge, own}), slope);
    context->save_for_backward({source, target, edge, own, weights.edge, weights.own});
    return {weights.edge, weights.own};
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const AttentionScores scores = plain(given({saved[0], saved[1], saved[2], saved[3]}));
    const CsrGraph graph = kept_structure(context);
    const double slope = context->saved_data["slope"].toDouble();
    const at::Tensor edge_in = gradients[0].contiguous();
    const at::Tensor own_in = gradients[1].contiguous();
    const at::Tensor edge = at::empty_like(saved[4]);
    const at::Tensor own = at::empty_like(saved[5]);
    const at::Tensor target = at::empty({graph.targets, edge.size(1)}, edge.options());
    const EdgeRows rows = by_target(graph);
    AT_DISPATCH_FLOATING_TYPES(edge.scalar_type(), "attention_backward", [&] {
      const ScorePointers<scalar_t> from(scores, edge.size(1), slope);
      const WeightGradients<scalar_t> gradient{
          saved[4].data_ptr<scalar_t>(), saved[5].data_ptr<scalar_t>(),
          edge_in.data_ptr<scalar_t>(),  own_in.data_ptr<scalar_t>(),
          edge.data_ptr<scalar_t>(),     own.data_ptr<scalar_t>(),
          target.data_ptr<scalar_t>()};
      for_rows(rows, 8 * edge.size(1), [&](std::int64_t i) { gradient.row(rows, from, i); });
    });
    const at::Tensor source =
        context->needs_input_grad(0) ? row_sums(by_source(*graph.index), edge) : at::Tensor();
    const auto wanted = [&](std::size_t input, const at::Tensor& gradient) {
      return context->needs_input_grad(input) ? gradient : at::Tensor();
    };
    return {at::Tensor(), source, wanted(1, target), wanted(2, edge), wanted(3, own), at::Tensor()};
  }
};

// LibTorch's own on another device.
MessageWeights weigh_on_device(const CsrGraph& graph, const AttentionScores& scores, double slope) {
  const std::int64_t heads = heads_of(scores);
  const at::Tensor row = edge_index(graph)->row;
  const at::Tensor target = scores.target.defined()
                                ? scores.target
                                : at::zeros({graph.targets, heads}, options_of(scores));
  at::Tensor edge = target.index_select(0, row);
  if (scores.source.defined()) edge = edge + scores.source.index_select(0, graph.col);
  if (scores.edge.defined()) edge = edge + scores.edge;
  edge = at::leaky_relu(edge, slope);
  const at::Tensor rows = row.unsqueeze(1).expand_as(edge);
  const double lowest = -std::numeric_limits<double>::infinity();
  at::Tensor most = at::full({graph.targets, heads}, lowest, options_of(scores))
                        .scatter_reduce(0, rows, edge.detach(), "amax", true);
  at::Tensor own;
  if (scores.own.defined()) {
    own = at::leaky_relu(scores.own + target, slope);
    most = at::maximum(most, own.detach());
  }
  edge = (edge - most.index_select(0, row)).exp();
  at::Tensor sum = at::zeros({graph.targets, heads}, edge.options()).index_add(0, row, edge);
  if (own.defined()) {
    own = (own - most).exp();
    sum = sum + own;
  }
  sum = sum + 1e-16;
  return {.edge = edge / sum.index_select(0, row), .own = own.defined() ? own / sum : own};
}

}  // namespace

MessageWeights attention_weights(const CsrGraph& graph, const AttentionScores& scores,
                                 double slope) {
  if (!options_of(scores).device().is_cpu()) return weigh_on_device(graph, scores, slope);
  MessageWeights weights;
  if (differentiable({scores.source, scores.target, scores.edge, scores.own})) {
    const at::Tensor like = at::empty({0}, options_of(scores));
    const variable_list both =
        Attention::apply(graph, or_empty(scores.source, like), or_empty(scores.target, like),
                         or_empty(scores.edge, like), or_empty(scores.own, like), slope);
    weights = {.edge = both[0], .own = both[1]};
  } else {
    weights = weigh(graph, scores, slope);
  }
  if (!scores.own.defined()) weights.own = at::Tensor();
  return weights;
}

at::Tensor segment_softmax(const CsrGraph& graph, const at::Tensor& values) {
  return attention_weights(graph, {.edge = values}).edge;
}

at::Tensor without_loops(const CsrGraph& graph, const at::Tensor& scores, std::int64_t heads) {
  const at::Tensor loops = graph.square() ? edge_index(graph)->loops : at::Tensor();
  if (!loops.defined()) return scores;
  const at::Tensor whole =
      scores.defined()
          ? scores
          : at::zeros({graph.edges(), heads}, graph.weight.options()).requires_grad_(false);
  return whole.index_fill(0, loops, -std::numeric_limits<double>::infinity());
}

at::Tensor mean_without_loops(const CsrGraph& graph, const at::Tensor& values) {
  const at::Tensor loops = graph.square() ? edge_index(graph)->loops : at::Tensor();
  if (!loops.defined()) return segment_mean(graph, values);
  at::Tensor ones = at::zeros({graph.edges(), 1}, values.options().requires_grad(false)) + 1;
  ones.index_fill_(0, loops, 0);
  return segment_sum(graph, values * ones) / segment_sum(graph, ones).clamp_min(1);
}

}  // namespace espalier
