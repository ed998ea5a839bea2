#include <espalier/plugin/gnn_states.hpp>

#include <ATen/ops/cat.h>

namespace espalier {

GnnStates run_gnn(const Gnn& gnn, const at::Tensor& x, const CsrGraph& graph, const Mode& mode) {
  GnnStates states;
  states.layers.push_back(gnn.embed(x, mode));
  for (std::int64_t l = 0; l < gnn.depth(); ++l) {
    const at::Tensor& h = states.layers.back();
    states.layers.push_back(gnn.step(l, h, h, states.layers.front(), graph, mode));
  }
  states.output = gnn.readout(states.layers.back(), x, mode);
  return states;
}

at::Tensor attach_to_gnn(const Gnn& gnn, const GnnStates& support, const at::Tensor& x,
                         const CsrGraph& graph) {
  const Mode mode;
  const at::Tensor h_0 = gnn.embed(x, mode);
  at::Tensor h = h_0;
  for (std::int64_t l = 0; l < gnn.depth(); ++l) {
    const at::Tensor& kept = support.layers[static_cast<std::size_t>(l)];
    const at::Tensor sources = graph.sources == kept.size(0) ? kept : at::cat({kept, h});
    h = gnn.step(l, sources, h, h_0, graph, mode);
  }
  return gnn.readout(h, x, mode);
}

}  // namespace espalier
