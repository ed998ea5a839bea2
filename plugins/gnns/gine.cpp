// Graph isomorphism network with edges, Hu et al. 2020:
//   x'_i = W_2 relu(W_0 ((1 + eps) x_i + sum over j in N(i) of relu(x_j + W e_ji + b)) + b_0) + b_2
#include <ATen/TensorOperators.h>
#include <ATen/ops/relu.h>

#include <espalier/graph/segment.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/gnn_isomorphism.hpp>

namespace {

using espalier::Neighbourhood;

struct GineParams : espalier::IsomorphismParams {
  std::int64_t edge_width = 1;
};

void bind(espalier::Schema<GineParams>& s) {
  bind_isomorphism(s);
  s.field("edge_width", &GineParams::edge_width)
      .range(1, 4096)
      .doc("Numbers of an edge that are added to messages; 1: its weight");
}

class GineConvolution final : public espalier::Convolution {
 public:
  explicit GineConvolution(const GineParams& params)
      : update_(params), edge_width_(params.edge_width) {}

  void init(std::int64_t in, std::int64_t out, espalier::Parameters& parameters,
            espalier::Random& random) override {
    update_.init(in, out, parameters, random);
    of_edges_.init("lin", edge_width_, in, espalier::LinearInit::standard, parameters, random);
  }

  at::Tensor operator()(const Neighbourhood& on) const override {
    const at::Tensor edges = of_edges_(espalier::edge_attributes(on.graph, edge_width_));
    const at::Tensor messages = at::relu(espalier::gather_sources(on.graph, on.sources) + edges);
    const at::Tensor own = update_.own_weights(on.targets).unsqueeze(1) * on.targets;
    return update_.perceptron(own + espalier::segment_sum(on.graph, messages));
  }

 private:
  espalier::IsomorphismUpdate update_;
  std::int64_t edge_width_;
  espalier::Linear of_edges_;
};

class Gine final : public espalier::GnnStack {
 public:
  using Params = GineParams;
  Gine(const Params& params, const espalier::RunContext&) : GnnStack(params), params_(params) {}

 private:
  std::unique_ptr<espalier::Convolution> convolution(std::int64_t) const override {
    return std::make_unique<GineConvolution>(params_);
  }
  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(gnn, "gine", 1, Gine, "Graph isomorphism network with edges (Hu et al. 2020)",
                   "graph edge_weight bipartite")
