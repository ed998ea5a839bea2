// A recorded graph layer, run by the component that computes it.
#pragma once

#include <cstdint>
#include <utility>

#include "gnn_cases_internal.hpp"
#include "network_internal.hpp"

namespace espalier::conformance {

class LayerRun {
 public:
  LayerRun(const RecordedLayer& layer, const Subject& subject, std::int64_t width)
      : layer_(layer), network_(subject, width) {}

  [[nodiscard]] const RecordedLayer& layer() const { return layer_; }
  [[nodiscard]] Network& network() { return network_; }

  // `x_0` is looked at by layers that stand for one step.
  [[nodiscard]] at::Tensor forward(const at::Tensor& x, const at::Tensor& x_0,
                                   const CsrGraph& graph) const {
    if (!layer_.step) return network_.forward(x, graph);
    return network_.gnn().step(*layer_.step, x, x, x_0, graph, {});
  }

  [[nodiscard]] at::Tensor attach(const at::Tensor& x, const CsrGraph& among, const at::Tensor& q,
                                  const at::Tensor& q_0, CsrGraph to_queries) const {
    if (!layer_.step) return network_.attach(x, among, q, std::move(to_queries));
    to_queries.source_degree = in_degree(among);
    return network_.gnn().step(*layer_.step, x, q, q_0, to_queries, {});
  }

 private:
  RecordedLayer layer_;
  Network network_;
};

}  // namespace espalier::conformance
