// GCNII, Chen et al. 2020: each layer adds some of the first state, and changes little the deeper
// it is. With P the normalised adjacency of gcn, l = 1, 2, ... and beta = ln(theta / l + 1):
//   h = (1 - alpha) P x + alpha x_0,  x' = (1 - beta) h + beta h W
// With weights of their own P x and x_0 go through W_1 and W_2.
#include <ATen/TensorOperators.h>
#include <ATen/ops/mm.h>

#include <cmath>
#include <espalier/graph/coefficients.hpp>
#include <espalier/nn/linear.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/gnn_stack.hpp>

namespace {

using espalier::Neighbourhood;

struct Gcn2Params : espalier::StackParams {
  double alpha = 0.1;
  double theta = 0.5;
  bool shared_weights = true;
  std::string negative_weights = "refuse";
};

void bind(espalier::Schema<Gcn2Params>& s) {
  bind_stack(s);
  s.field("alpha", &Gcn2Params::alpha)
      .range(0, 1)
      .doc("Share of the first state in every layer")
      .source("Chen et al. 2020");
  s.field("theta", &Gcn2Params::theta)
      .range(0, 1000)
      .doc("Layer l is mapped by the share ln(theta / l + 1); 0: wholly")
      .source("Chen et al. 2020");
  s.field("shared_weights", &Gcn2Params::shared_weights)
      .doc("One matrix for neighbours and first state, else two");
  bind_negative_weights(s);
}

class Gcn2Convolution final : public espalier::Convolution {
 public:
  Gcn2Convolution(const Gcn2Params& params, std::int64_t number)
      : params_(params), options_{.negative = params.negative_weights} {
    if (params.theta > 0) beta_ = std::log(params.theta / static_cast<double>(number) + 1);
  }

  void init(std::int64_t in, std::int64_t, espalier::Parameters& parameters,
            espalier::Random& random) override {
    const auto matrix = [&](const char* name) {
      return parameters.add(name, espalier::glorot_uniform({in, in}, random));
    };
    first_ = matrix("weight1");
    if (!params_.shared_weights) second_ = matrix("weight2");
  }

  at::Tensor operator()(const Neighbourhood& on) const override {
    const auto weights = espalier::gcn_coefficients(on.graph, on.graph.weight, options_);
    const at::Tensor sum = espalier::propagate(on.graph, weights, on.sources, on.targets);
    const at::Tensor p = sum * (1 - params_.alpha);
    const at::Tensor q = on.origin * params_.alpha;
    if (params_.shared_weights) return mixed(p + q, first_);
    return mixed(p, first_) + mixed(q, second_);
  }

 private:
  [[nodiscard]] at::Tensor mixed(const at::Tensor& h, const at::Tensor& weight) const {
    return h * (1 - beta_) + at::mm(h, weight) * beta_;
  }

  Gcn2Params params_;
  espalier::GcnOptions options_;
  double beta_ = 1;
  at::Tensor first_;
  at::Tensor second_;
};

// The state of `hidden` columns that the layers start from is act(W x + b), or x where that is as
// wide.
class Gcn2 final : public espalier::GnnStack {
 public:
  using Params = Gcn2Params;
  Gcn2(const Params& params, const espalier::RunContext&) : GnnStack(params), params_(params) {}

  void init(std::int64_t width, espalier::Parameters& parameters,
            espalier::Random& random) override {
    projects_ = params_.hidden != 0 && params_.hidden != width;
    if (projects_) {
      start_.init("start", width, params_.hidden, espalier::LinearInit::standard, parameters,
                  random);
    }
    GnnStack::init(projects_ ? params_.hidden : width, parameters, random);
  }

  at::Tensor embed(const at::Tensor& x, const espalier::Mode&) const override {
    return projects_ ? espalier::activate(params_.activation, start_(x)) : x;
  }

 private:
  std::unique_ptr<espalier::Convolution> convolution(std::int64_t layer) const override {
    return std::make_unique<Gcn2Convolution>(params_, layer + 1);
  }

  Params params_;
  bool projects_ = false;
  espalier::Linear start_;
};

}  // namespace

ESPALIER_COMPONENT(gnn, "gcn2", 1, Gcn2, "Deep graph convolution, GCNII (Chen et al. 2020)",
                   "graph edge_weight bipartite node_rows unseen:negative_weights")
