// Simple graph convolution, Wu et al. 2019: all propagation, then one linear map,
//   x' = P^K x W^T + b,  P the normalised adjacency of gcn
#include <espalier/nn/linear.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/gnn.hpp>

#include <espalier/graph/coefficients.hpp>

namespace {

struct SgcParams {
  std::int64_t steps = 1;
  std::int64_t hidden = 0;
  bool self_loops = true;
  bool bias = true;
  std::string negative_weights = "refuse";
};

void bind(espalier::Schema<SgcParams>& s) {
  s.field("steps", &SgcParams::steps).range(1, 1000).doc("How many edges far states travel");
  s.field("hidden", &SgcParams::hidden)
      .range(0, 65536)
      .doc("Width of the result, 0 for that of the input");
  s.field("self_loops", &SgcParams::self_loops).doc("Whether a node sees itself");
  s.field("bias", &SgcParams::bias).doc("Add a bias to the linear map");
  bind_negative_weights(s);
}

class Sgc final : public espalier::Gnn {
 public:
  using Params = SgcParams;
  Sgc(const Params& params, const espalier::RunContext&)
      : params_(params),
        options_{.loop_weight = params.self_loops ? 1.0 : 0.0,
                 .negative = params.negative_weights} {}

  void init(std::int64_t width, espalier::Parameters& parameters,
            espalier::Random& random) override {
    out_ = params_.hidden == 0 ? width : params_.hidden;
    linear_.init("lin", width, out_, espalier::LinearInit::standard, parameters, random,
                 params_.bias);
  }
  std::int64_t out_width() const override { return out_; }
  std::int64_t depth() const override { return params_.steps; }
  bool reads_input() const override { return false; }

  at::Tensor step(std::int64_t, const at::Tensor& sources, const at::Tensor& targets,
                  const at::Tensor&, const espalier::CsrGraph& graph,
                  const espalier::Mode&) const override {
    const auto weights = espalier::gcn_coefficients(graph, graph.weight, options_);
    return espalier::propagate(graph, weights, sources, targets);
  }

  at::Tensor readout(const at::Tensor& h, const at::Tensor&, const espalier::Mode&) const override {
    return linear_(h);
  }

 private:
  Params params_;
  espalier::GcnOptions options_;
  std::int64_t out_ = 0;
  espalier::Linear linear_;
};

}  // namespace

ESPALIER_COMPONENT(gnn, "sgc", 1, Sgc, "Simple graph convolution (Wu et al. 2019)",
                   "graph edge_weight bipartite node_rows unseen:negative_weights")
