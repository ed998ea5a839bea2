#include <espalier/graph/segment.hpp>

#include <ATen/Dispatch.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>

#include <espalier/core/error.hpp>

#include "kernel_internal.hpp"

namespace espalier {

at::Tensor row_sums(const EdgeRows& rows, const at::Tensor& given) {
  const at::Tensor values = given.contiguous();
  const std::int64_t width = values.size(1);
  at::Tensor sums = at::zeros({rows.rows, width}, values.options());
  AT_DISPATCH_FLOATING_TYPES(values.scalar_type(), "segment_sum", [&] {
    const auto* const from = values.data_ptr<scalar_t>();
    auto* const to = sums.data_ptr<scalar_t>();
    for_rows(rows, width, [&](std::int64_t i) {
      for (std::int64_t k = rows.begin[i]; k < rows.begin[i + 1]; ++k) {
        fetch_place_ahead(rows, k, from, width);
        const scalar_t* const value = from + rows.place(k) * width;
        for (std::int64_t c = 0; c < width; ++c) to[i * width + c] += value[c];
      }
    });
  });
  return sums;
}

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Variable;
using torch::autograd::variable_list;

class GatherSources : public torch::autograd::Function<GatherSources> {
 public:
  static Variable forward(AutogradContext* context, const CsrGraph& graph, const Variable& x) {
    keep_structure(context, graph);
    return x.index_select(0, graph.col);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const CsrGraph graph = kept_structure(context);
    return {at::Tensor(), row_sums(by_source(*graph.index), gradients[0])};
  }
};

// Each target's row once for each of its edges.
at::Tensor repeated(const CsrGraph& graph, const at::Tensor& given) {
  const at::Tensor x = given.contiguous();
  const std::int64_t width = x.size(1);
  at::Tensor out = at::empty({graph.edges(), width}, x.options());
  const EdgeRows rows = by_target(graph);
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "gather_targets", [&] {
    const auto* const from = x.data_ptr<scalar_t>();
    auto* const to = out.data_ptr<scalar_t>();
    for_rows(rows, width, [&](std::int64_t i) {
      for (std::int64_t k = rows.begin[i]; k < rows.begin[i + 1]; ++k) {
        std::copy(from + i * width, from + (i + 1) * width, to + k * width);
      }
    });
  });
  return out;
}

class GatherTargets : public torch::autograd::Function<GatherTargets> {
 public:
  static Variable forward(AutogradContext* context, const CsrGraph& graph, const Variable& x) {
    keep_structure(context, graph);
    return repeated(graph, x);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    return {at::Tensor(), row_sums(by_target(kept_structure(context)), gradients[0])};
  }
};

class SegmentSum : public torch::autograd::Function<SegmentSum> {
 public:
  static Variable forward(AutogradContext* context, const CsrGraph& graph, const Variable& values) {
    keep_structure(context, graph);
    return row_sums(by_target(graph), values);
  }
  static variable_list backward(AutogradContext* context, variable_list gradients) {
    return {at::Tensor(), repeated(kept_structure(context), gradients[0])};
  }
};

// The largest of rows x[place], column by column, where the place of an edge is its own number or
// that of its source; and how many reach it.
struct Largest {
  at::Tensor value;
  at::Tensor count;
};

template <class Place>
Largest largest_of(const EdgeRows& rows, const at::Tensor& x, const Place& place) {
  const std::int64_t width = x.size(1);
  Largest out{at::zeros({rows.rows, width}, x.options()),
              at::zeros({rows.rows, width}, x.options())};
  AT_DISPATCH_FLOATING_TYPES(x.scalar_type(), "segment_max", [&] {
    const auto* const from = x.data_ptr<scalar_t>();
    auto* const value = out.value.data_ptr<scalar_t>();
    auto* const count = out.count.data_ptr<scalar_t>();
    for_rows(rows, width, [&](std::int64_t i) {
      scalar_t* const best = value + i * width;
      scalar_t* const reached = count + i * width;
      for (std::int64_t k = rows.begin[i]; k < rows.begin[i + 1]; ++k) {
        const scalar_t* const row = from + place(k) * width;
        const bool first = k == rows.begin[i];
        for (std::int64_t c = 0; c < width; ++c) {
          const bool more = first || row[c] > best[c];
          reached[c] = more ? scalar_t(1) : reached[c] + (row[c] == best[c] ? 1 : 0);
          best[c] = more ? row[c] : best[c];
        }
      }
    });
  });
  return out;
}

Largest largest_edge(const CsrGraph& graph, const at::Tensor& values) {
  return largest_of(by_target(graph), values.contiguous(), [](std::int64_t k) { return k; });
}

Largest largest_source(const CsrGraph& graph, const at::Tensor& x) {
  const EdgeRows rows = by_target(graph);
  return largest_of(rows, x.contiguous(), [&](std::int64_t k) { return rows.node[k]; });
}

class SegmentMax : public torch::autograd::Function<SegmentMax> {
 public:
  static Variable forward(AutogradContext* context, const CsrGraph& graph, const Variable& given) {
    keep_structure(context, graph);
    const at::Tensor values = given.contiguous();
    const Largest best = largest_edge(graph, values);
    context->save_for_backward({values, best.value, best.count});
    return best.value;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const CsrGraph graph = kept_structure(context);
    const at::Tensor dy = gradients[0] / saved[2].clamp_min(1);
    at::Tensor dx = at::zeros_like(saved[0]);
    const std::int64_t width = dx.size(1);
    const EdgeRows rows = by_target(graph);
    AT_DISPATCH_FLOATING_TYPES(dx.scalar_type(), "segment_max_backward", [&] {
      const auto* const value = saved[0].data_ptr<scalar_t>();
      const auto* const best = saved[1].data_ptr<scalar_t>();
      const auto* const share = dy.data_ptr<scalar_t>();
      auto* const to = dx.data_ptr<scalar_t>();
      for_rows(rows, width, [&](std::int64_t i) {
        for (std::int64_t k = rows.begin[i]; k < rows.begin[i + 1]; ++k) {
          for (std::int64_t c = 0; c < width; ++c) {
            const std::int64_t at = k * width + c;
            if (value[at] == best[i * width + c]) to[at] = share[i * width + c];
          }
        }
      });
    });
    return {at::Tensor(), dx};
  }
};

class NeighbourMax : public torch::autograd::Function<NeighbourMax> {
 public:
  static Variable forward(AutogradContext* context, const CsrGraph& graph, const Variable& given) {
    keep_structure(context, graph);
    const at::Tensor x = given.contiguous();
    const Largest best = largest_source(graph, x);
    context->save_for_backward({x, best.value, best.count});
    return best.value;
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const auto saved = context->get_saved_variables();
    const CsrGraph graph = kept_structure(context);
    const at::Tensor dy = gradients[0] / saved[2].clamp_min(1);
    at::Tensor dx = at::zeros_like(saved[0]);
    const std::int64_t width = dx.size(1);
    const EdgeRows rows = by_source(*graph.index);
    AT_DISPATCH_FLOATING_TYPES(dx.scalar_type(), "neighbour_max_backward", [&] {
      const auto* const value = saved[0].data_ptr<scalar_t>();
      const auto* const best = saved[1].data_ptr<scalar_t>();
      const auto* const share = dy.data_ptr<scalar_t>();
      auto* const to = dx.data_ptr<scalar_t>();
      for_rows(rows, width, [&](std::int64_t j) {
        for (std::int64_t k = rows.begin[j]; k < rows.begin[j + 1]; ++k) {
          const std::int64_t target = rows.node[k] * width;
          for (std::int64_t c = 0; c < width; ++c) {
            const bool reached = value[j * width + c] == best[target + c];
            to[j * width + c] += reached ? share[target + c] : scalar_t(0);
          }
        }
      });
    });
    return {at::Tensor(), dx};
  }
};

// LibTorch's own on another device; amax shares the gradient of equal values.
at::Tensor sums_on_device(const CsrGraph& graph, const at::Tensor& values) {
  return at::zeros({graph.targets, values.size(1)}, values.options())
      .index_add(0, edge_index(graph)->row, values);
}

at::Tensor largest_on_device(const CsrGraph& graph, const at::Tensor& values) {
  const at::Tensor row = edge_index(graph)->row.unsqueeze(1).expand_as(values);
  return at::zeros({graph.targets, values.size(1)}, values.options())
      .scatter_reduce(0, row, values, "amax", false);
}

void require_rows(const at::Tensor& x, std::int64_t rows) {
  ESPALIER_ASSERT(x.dim() == 2 && x.size(0) == rows, "a row each");
}

}  // namespace

at::Tensor gather_sources(const CsrGraph& graph, const at::Tensor& x) {
  require_rows(x, graph.sources);
  if (!x.is_cpu() || !differentiable({x})) return x.index_select(0, graph.col);
  return GatherSources::apply(graph, x);
}

at::Tensor gather_targets(const CsrGraph& graph, const at::Tensor& x) {
  require_rows(x, graph.targets);
  if (!x.is_cpu()) return x.index_select(0, edge_index(graph)->row);
  return differentiable({x}) ? GatherTargets::apply(graph, x) : repeated(graph, x);
}

at::Tensor segment_sum(const CsrGraph& graph, const at::Tensor& values) {
  require_rows(values, graph.edges());
  if (!values.is_cpu()) return sums_on_device(graph, values);
  return differentiable({values}) ? SegmentSum::apply(graph, values)
                                  : row_sums(by_target(graph), values);
}

at::Tensor segment_mean(const CsrGraph& graph, const at::Tensor& values) {
  return segment_sum(graph, values) / edge_counts(graph, values).clamp_min(1).unsqueeze(1);
}

at::Tensor segment_max(const CsrGraph& graph, const at::Tensor& values) {
  require_rows(values, graph.edges());
  if (!values.is_cpu()) return largest_on_device(graph, values);
  return differentiable({values}) ? SegmentMax::apply(graph, values)
                                  : largest_edge(graph, values).value;
}

at::Tensor neighbour_max(const CsrGraph& graph, const at::Tensor& x) {
  require_rows(x, graph.sources);
  if (!x.is_cpu()) return largest_on_device(graph, x.index_select(0, graph.col));
  return differentiable({x}) ? NeighbourMax::apply(graph, x) : largest_source(graph, x).value;
}

at::Tensor mean_weights(const CsrGraph& graph, const at::Tensor& like) {
  return gather_targets(graph, edge_counts(graph, like).clamp_min(1).reciprocal().unsqueeze(1))
      .squeeze(1);
}

at::Tensor edge_counts(const CsrGraph& graph, const at::Tensor& like) {
  const at::Tensor next = graph.rowptr.slice(0, 1);
  return (next - graph.rowptr.slice(0, 0, graph.targets)).to(like.scalar_type());
}

}  // namespace espalier
