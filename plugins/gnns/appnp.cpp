// Personalised propagation of neural predictions, Gasteiger et al. 2019:
//   Z_0 = mlp(x),  Z_{k+1} = (1 - alpha) P Z_k + alpha Z_0,  P the normalised adjacency of gcn
// With head: prompts and layers: 0 nothing is trained, and the scores by the classes' texts spread
// over the graph.
#include <ATen/TensorOperators.h>

#include <espalier/plugin/component.hpp>
#include <espalier/plugin/gnn_propagation.hpp>

namespace {

struct AppnpParams : espalier::PropagationParams {
  double alpha = 0.1;
};

void bind(espalier::Schema<AppnpParams>& s) {
  bind_propagation(s);
  s.field("alpha", &AppnpParams::alpha)
      .range(0, 1)
      .doc("Share of the node's own prediction in every step")
      .source("Gasteiger et al. 2019");
}

class Appnp final : public espalier::GnnPropagation {
 public:
  using Params = AppnpParams;
  Appnp(const Params& params, const espalier::RunContext&)
      : GnnPropagation(params), alpha_(params.alpha) {}

 private:
  at::Tensor next(std::int64_t, const at::Tensor& propagated,
                  const at::Tensor& targets_0) const override {
    return propagated * (1 - alpha_) + targets_0 * alpha_;
  }
  double alpha_;
};

}  // namespace

ESPALIER_COMPONENT(gnn, "appnp", 1, Appnp,
                   "Personalised propagation of predictions (Gasteiger et al. 2019)",
                   "graph edge_weight bipartite node_rows unseen:negative_weights")
