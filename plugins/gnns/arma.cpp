// Auto-regressive moving average filters, Bianchi et al. 2021: several stacks, and their mean. In
// each, with x_0 = x and P' = D^-1/2 A D^-1/2 without loops,
//   x_{t+1} = act(P' x_t W_t + x V_t + b_t)
#include <ATen/TensorOperators.h>
#include <ATen/ops/bmm.h>
#include <ATen/ops/zeros.h>

#include <espalier/graph/coefficients.hpp>
#include <espalier/nn/activation.hpp>
#include <espalier/nn/dropout.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/gnn.hpp>

namespace {

struct ArmaParams {
  std::int64_t stacks = 1;
  std::int64_t layers = 1;
  std::int64_t hidden = 0;
  double dropout = 0.0;
  std::string activation = "relu";
  bool shared_weights = false;
  bool bias = true;
  std::string negative_weights = "refuse";
};

void bind(espalier::Schema<ArmaParams>& s) {
  s.field("stacks", &ArmaParams::stacks)
      .range(1, 64)
      .doc("Filters side by side, whose mean is taken");
  s.field("layers", &ArmaParams::layers).range(1, 64).doc("Steps of each filter");
  s.field("hidden", &ArmaParams::hidden)
      .range(0, 65536)
      .doc("Width of every step, 0 for that of the input");
  s.field("dropout", &ArmaParams::dropout)
      .min(0)
      .below(1)
      .doc("Share of the input set to 0 in training where it is added to a step");
  s.field("activation", &ArmaParams::activation)
      .choices(espalier::activations)
      .doc("After every step");
  s.field("shared_weights", &ArmaParams::shared_weights)
      .only_if("layers > 1")
      .doc("The same matrices in all steps, but for the first one's W");
  s.field("bias", &ArmaParams::bias).doc("Add a bias in each step");
  bind_negative_weights(s);
}

// A state has the stacks side by side, [n, stacks * hidden]; the first is x itself.
class Arma final : public espalier::Gnn {
 public:
  using Params = ArmaParams;
  Arma(const Params& params, const espalier::RunContext&)
      : params_(params), options_{.loop_weight = 0, .negative = params.negative_weights} {}

  void init(std::int64_t width, espalier::Parameters& parameters,
            espalier::Random& random) override {
    out_ = params_.hidden == 0 ? width : params_.hidden;
    const std::int64_t k = params_.stacks;
    const std::int64_t steps = params_.shared_weights ? 1 : params_.layers;
    const std::int64_t later = params_.shared_weights ? 1 : params_.layers - 1;
    first_ = parameters.add("init_weight", espalier::glorot_uniform({k, width, out_}, random));
    if (params_.layers > 1) {
      weight_ = parameters.add("weight", espalier::glorot_uniform({later, k, out_, out_}, random));
    }
    root_ =
        parameters.add("root_weight", espalier::glorot_uniform({steps, k, width, out_}, random));
    if (params_.bias) bias_ = parameters.add("bias", at::zeros({steps, k, 1, out_}, at::kFloat));
  }
  std::int64_t out_width() const override { return out_; }
  std::int64_t depth() const override { return params_.layers; }
  bool reads_input() const override { return false; }

  at::Tensor step(std::int64_t t, const at::Tensor& sources, const at::Tensor&,
                  const at::Tensor& targets_0, const espalier::CsrGraph& graph,
                  const espalier::Mode& mode) const override {
    const auto weights = espalier::gcn_coefficients(graph, graph.weight, options_);
    const at::Tensor sums = espalier::spmm(graph, weights.edge, sources);
    const std::int64_t shared = params_.shared_weights ? 0 : t;
    at::Tensor h = t == 0 ? by_stack(sums, first_)
                          : at::bmm(apart(sums), weight_[params_.shared_weights ? 0 : t - 1]);
    const at::Tensor x =
        espalier::dropout(targets_0, params_.dropout, mode, "steps." + std::to_string(t));
    h = h + by_stack(x, root_[shared]);
    if (bias_.defined()) h = h + bias_[shared];
    return espalier::activate(params_.activation, h).permute({1, 0, 2}).flatten(1);
  }

  at::Tensor readout(const at::Tensor& h, const at::Tensor&, const espalier::Mode&) const override {
    return h.view({h.size(0), params_.stacks, out_}).mean(1);
  }

 private:
  // [n, in] through a matrix a stack, [stacks, n, hidden].
  [[nodiscard]] at::Tensor by_stack(const at::Tensor& x, const at::Tensor& matrices) const {
    const std::int64_t k = params_.stacks;
    return at::bmm(x.unsqueeze(0).expand({k, x.size(0), x.size(1)}), matrices);
  }
  // [n, stacks * hidden] to [stacks, n, hidden].
  [[nodiscard]] at::Tensor apart(const at::Tensor& h) const {
    return h.view({h.size(0), params_.stacks, out_}).permute({1, 0, 2});
  }

  Params params_;
  espalier::GcnOptions options_;
  std::int64_t out_ = 0;
  at::Tensor first_;
  at::Tensor weight_;
  at::Tensor root_;
  at::Tensor bias_;
};

}  // namespace

ESPALIER_COMPONENT(gnn, "arma", 1, Arma, "ARMA graph filters (Bianchi et al. 2021)",
                   "graph edge_weight bipartite node_rows unseen:negative_weights")
