// Graph isomorphism network, Xu et al. 2019:
//   x'_i = W_2 relu(W_0 ((1 + eps) x_i + sum over j in N(i) of x_j) + b_0) + b_2
// Weights of edges play no part; gine looks at them.
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/gnn_isomorphism.hpp>

namespace {

using espalier::Neighbourhood;

struct GinParams : espalier::IsomorphismParams {};

void bind(espalier::Schema<GinParams>& s) { bind_isomorphism(s); }

class GinConvolution final : public espalier::Convolution {
 public:
  explicit GinConvolution(const GinParams& params) : update_(params) {}

  void init(std::int64_t in, std::int64_t out, espalier::Parameters& parameters,
            espalier::Random& random) override {
    update_.init(in, out, parameters, random);
  }

  at::Tensor operator()(const Neighbourhood& on) const override {
    const espalier::MessageWeights weights{.edge = {}, .own = update_.own_weights(on.targets)};
    return update_.perceptron(espalier::propagate(on.graph, weights, on.sources, on.targets));
  }

 private:
  espalier::IsomorphismUpdate update_;
};

class Gin final : public espalier::GnnStack {
 public:
  using Params = GinParams;
  Gin(const Params& params, const espalier::RunContext&) : GnnStack(params), params_(params) {}

 private:
  std::unique_ptr<espalier::Convolution> convolution(std::int64_t) const override {
    return std::make_unique<GinConvolution>(params_);
  }
  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(gnn, "gin", 1, Gin, "Graph isomorphism network (Xu et al. 2019)",
                   "graph bipartite node_rows")
