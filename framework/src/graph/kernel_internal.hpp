// What autograd functions over the edges of a graph share.
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <initializer_list>

#include "rows_internal.hpp"

namespace espalier {

template <class T>
T* data_or_null(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.data_ptr<T>() : nullptr;
}

// Autograd functions take no undefined tensors: an empty vector stands for one.
inline at::Tensor or_empty(const at::Tensor& tensor, const at::Tensor& like) {
  return tensor.defined() ? tensor : at::empty({0}, like.options().requires_grad(false));
}
inline at::Tensor unless_empty(const at::Tensor& tensor) {
  return tensor.dim() == 1 && tensor.numel() == 0 ? at::Tensor() : tensor;
}

inline at::Tensor straight(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.contiguous() : tensor;
}

inline bool differentiable(std::initializer_list<at::Tensor> tensors) {
  if (!c10::GradMode::is_enabled()) return false;
  return std::any_of(tensors.begin(), tensors.end(),
                     [](const at::Tensor& t) { return t.defined() && t.requires_grad(); });
}

// [n, d] to [n, heads, d / heads].
inline at::Tensor in_heads(const at::Tensor& x, std::int64_t heads) {
  return x.view({x.size(0), heads, x.size(1) / heads});
}

// Values of edges [edges, d], summed up by row to [rows, d].
[[nodiscard]] at::Tensor row_sums(const EdgeRows& rows, const at::Tensor& values);
// The same of weight[e] * x[node[e]], for weight [edges, heads] and x in as many heads.
[[nodiscard]] at::Tensor weighted_row_sums(const EdgeRows& rows, const at::Tensor& weight,
                                           const at::Tensor& x);

// A graph's structure, kept from the forward pass for the backward pass.
inline void keep_structure(torch::autograd::AutogradContext* context, const CsrGraph& graph) {
  const std::shared_ptr<const EdgeIndex> index = edge_index(graph);
  context->saved_data["targets"] = graph.targets;
  context->saved_data["sources"] = graph.sources;
  context->saved_data["rowptr"] = graph.rowptr;
  context->saved_data["col"] = graph.col;
  context->saved_data["t_rowptr"] = index->t_rowptr;
  context->saved_data["t_row"] = index->t_row;
  context->saved_data["t_edge"] = index->t_edge;
}

// Without weights.
inline CsrGraph kept_structure(torch::autograd::AutogradContext* context) {
  const auto kept = [&](const char* name) { return context->saved_data[name].toTensor(); };
  CsrGraph graph;
  graph.targets = context->saved_data["targets"].toInt();
  graph.sources = context->saved_data["sources"].toInt();
  graph.rowptr = kept("rowptr");
  graph.col = kept("col");
  EdgeIndex index;
  index.t_rowptr = kept("t_rowptr");
  index.t_row = kept("t_row");
  index.t_edge = kept("t_edge");
  graph.index = std::make_shared<const EdgeIndex>(std::move(index));
  return graph;
}

}  // namespace espalier
