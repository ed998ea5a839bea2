// The recursion over the layers of a graph network, gnn.hpp's formula, for training and for tests.
#pragma once

#include <cstdint>
#include <espalier/plugin/gnn.hpp>
#include <vector>

namespace espalier {

struct GnnStates {
  std::vector<at::Tensor> layers;  // h_0 to h_L, each [n, w_l]
  at::Tensor output;               // y [n, out_width()]
};

// All nodes x [n, width] of a square graph.
[[nodiscard]] GnnStates run_gnn(const Gnn& gnn, const at::Tensor& x, const CsrGraph& graph,
                                const Mode& mode);

// y [q, out_width()] of queries x [q, width] in a rectangular graph of q targets. Its sources are
// the nodes of `support`, and behind them, where it has more than those, the queries themselves.
[[nodiscard]] at::Tensor attach_to_gnn(const Gnn& gnn, const GnnStates& support,
                                       const at::Tensor& x, const CsrGraph& graph);

}  // namespace espalier
