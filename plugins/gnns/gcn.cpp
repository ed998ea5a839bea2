// Graph convolution, Kipf and Welling 2017:
//   x'_i = sum over j in N(i) and i of w_ji / sqrt(d_j d_i) W x_j + b,  d the weighted in-degree
//   with the loop.
#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>

#include <espalier/graph/coefficients.hpp>
#include <espalier/nn/linear.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/gnn_stack.hpp>

namespace {

using espalier::Neighbourhood;

struct GcnParams : espalier::StackParams {
  bool self_loops = true;
  bool improved = false;
  bool normalize = true;
  bool bias = true;
  std::string negative_weights = "refuse";
};

void bind(espalier::Schema<GcnParams>& s) {
  bind_stack(s);
  s.field("self_loops", &GcnParams::self_loops).doc("Whether a node sees itself");
  s.field("improved", &GcnParams::improved)
      .only_if("self_loops")
      .doc("Self-loops of weight 2 instead of 1");
  s.field("normalize", &GcnParams::normalize).doc("Divide by the roots of both ends' degrees");
  s.field("bias", &GcnParams::bias).doc("Add a bias after each convolution");
  bind_negative_weights(s);
}

class GcnConvolution final : public espalier::Convolution {
 public:
  explicit GcnConvolution(const GcnParams& params)
      : options_{.normalize = params.normalize,
                 .loop_weight = !params.self_loops ? 0.0
                                : params.improved  ? 2.0
                                                   : 1.0,
                 .negative = params.negative_weights},
        biased_(params.bias) {}

  void init(std::int64_t in, std::int64_t out, espalier::Parameters& parameters,
            espalier::Random& random) override {
    narrows_ = out < in;
    linear_.init("lin", in, out, espalier::LinearInit::glorot, parameters, random, false);
    bias_ = espalier::zero_bias(out, biased_, parameters);
  }

  // Messages travel at the smaller width, and before the product where both are equal: then what
  // enters the network needs no gradient through the graph.
  at::Tensor operator()(const Neighbourhood& on) const override {
    const auto weights = espalier::gcn_coefficients(on.graph, on.graph.weight, options_);
    if (!narrows_) {
      const at::Tensor h = espalier::propagate(on.graph, weights, on.sources, on.targets);
      return at::linear(h, linear_.weight(), bias_);
    }
    const auto projected = on.mapped(linear_);
    const at::Tensor h =
        espalier::propagate(on.graph, weights, projected.sources, projected.targets);
    return bias_.defined() ? h + bias_ : h;
  }

 private:
  espalier::GcnOptions options_;
  bool biased_;
  bool narrows_ = false;
  espalier::Linear linear_;
  at::Tensor bias_;
};

class Gcn final : public espalier::GnnStack {
 public:
  using Params = GcnParams;
  Gcn(const Params& params, const espalier::RunContext&) : GnnStack(params), params_(params) {}

 private:
  std::unique_ptr<espalier::Convolution> convolution(std::int64_t) const override {
    return std::make_unique<GcnConvolution>(params_);
  }
  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(gnn, "gcn", 3, Gcn, "Graph convolution (Kipf and Welling 2017)",
                   "graph edge_weight bipartite node_rows unseen:negative_weights")
