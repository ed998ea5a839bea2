// Graph convolution, Kipf and Welling 2017:
//   x'_i = sum over j in N(i) and i of w_ji / sqrt(d_j d_i) W x_j + b,  d the weighted in-degree
//   with the loop.
#include <ATen/ops/add.h>

#include <espalier/graph/coefficients.hpp>
#include <espalier/nn/activation.hpp>
#include <espalier/nn/dropout.hpp>
#include <espalier/nn/linear.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/gnn.hpp>

namespace {

struct GcnParams {
  std::int64_t layers = 2;
  std::int64_t hidden = 0;
  double dropout = 0.0;
  std::string activation = "relu";
  bool self_loops = true;
  bool improved = false;
  bool normalize = true;
  bool bias = true;
};

void bind(espalier::Schema<GcnParams>& s) {
  s.field("layers", &GcnParams::layers)
      .range(1, 64)
      .doc("Convolutions, the activation between them");
  s.field("hidden", &GcnParams::hidden)
      .range(0, 65536)
      .doc("Width of every convolution, 0 for that of the input");
  s.field("dropout", &GcnParams::dropout)
      .min(0)
      .below(1)
      .doc("Share of each convolution's inputs set to 0 in training");
  s.field("activation", &GcnParams::activation)
      .choices(espalier::activations)
      .only_if("layers > 1")
      .doc("Between the convolutions");
  s.field("self_loops", &GcnParams::self_loops).doc("Whether a node sees itself");
  s.field("improved", &GcnParams::improved)
      .only_if("self_loops")
      .doc("Self-loops of weight 2 instead of 1");
  s.field("normalize", &GcnParams::normalize).doc("Divide by the roots of both ends' degrees");
  s.field("bias", &GcnParams::bias).doc("Add a bias after each convolution");
}

class Gcn final : public espalier::Gnn {
 public:
  using Params = GcnParams;
  Gcn(const Params& params, const espalier::RunContext&) : params_(params) {
    options_.normalize = params.normalize;
    options_.loop_weight = !params.self_loops ? 0.0 : params.improved ? 2.0 : 1.0;
  }

  void init(std::int64_t width, espalier::Parameters& parameters,
            espalier::Random& random) override {
    out_ = params_.hidden == 0 ? width : params_.hidden;
    layers_.resize(static_cast<std::size_t>(params_.layers));
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      layers_[l].init("layers." + std::to_string(l), l == 0 ? width : out_, out_,
                      espalier::LinearInit::glorot, parameters, random, params_.bias);
    }
  }

  std::int64_t out_width() const override { return out_; }
  std::int64_t depth() const override { return params_.layers; }

  at::Tensor step(std::int64_t layer, const at::Tensor& sources, const at::Tensor& targets,
                  const at::Tensor&, const espalier::CsrGraph& graph,
                  const espalier::Mode& mode) const override {
    const espalier::Linear& linear = layers_[static_cast<std::size_t>(layer)];
    const auto project = [&](const at::Tensor& h) {
      return linear.product(
          espalier::dropout(h, params_.dropout, mode, "layers." + std::to_string(layer)));
    };
    const at::Tensor from = project(sources);
    const at::Tensor own = targets.is_same(sources) ? from : project(targets);
    const auto coefficients = espalier::gcn_coefficients(graph, graph.weight, options_);
    at::Tensor h = espalier::propagate(graph, coefficients, from, own);
    if (linear.bias().defined()) h = at::add(h, linear.bias());
    return layer + 1 < params_.layers ? espalier::activate(params_.activation, h) : h;
  }

 private:
  Params params_;
  espalier::GcnOptions options_;
  std::int64_t out_ = 0;
  std::vector<espalier::Linear> layers_;
};

}  // namespace

ESPALIER_COMPONENT(gnn, "gcn", 2, Gcn, "Graph convolution (Kipf and Welling 2017)",
                   "graph edge_weight bipartite")
