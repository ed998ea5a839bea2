#include <espalier/plugin/gnn_propagation.hpp>

#include <espalier/graph/drop_edge.hpp>

namespace espalier {

GnnPropagation::GnnPropagation(const PropagationParams& params)
    : params_(params),
      options_{.loop_weight = params.self_loops ? 1.0 : 0.0, .negative = params.negative_weights} {}

void GnnPropagation::init(std::int64_t width, Parameters& parameters, Random& random) {
  out_ = params_.hidden == 0 || params_.layers == 0 ? width : params_.hidden;
  perceptron_.init(params_.layers, width, out_, params_.activation, parameters, random);
}

at::Tensor GnnPropagation::embed(const at::Tensor& x, const Mode& mode) const {
  return perceptron_(x, params_.dropout, mode);
}

at::Tensor GnnPropagation::step(std::int64_t k, const at::Tensor& sources,
                                const at::Tensor& targets, const at::Tensor& targets_0,
                                const CsrGraph& graph, const Mode& mode) const {
  const CsrGraph thinned =
      drop_edges(graph, params_.drop_edge, mode, "steps." + std::to_string(k) + ".edges");
  const MessageWeights weights = gcn_coefficients(thinned, thinned.weight, options_);
  return next(k, propagate(thinned, weights, sources, targets), targets_0);
}

}  // namespace espalier
