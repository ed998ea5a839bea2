// A perceptron on each node by itself: what a graph layer is compared with.
#include <espalier/nn/activation.hpp>
#include <espalier/nn/perceptron.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/gnn.hpp>

namespace {

struct MlpParams {
  std::int64_t layers = 2;
  std::int64_t hidden = 0;
  double dropout = 0.0;
  std::string activation = "relu";
};

void bind(espalier::Schema<MlpParams>& s) {
  s.field("layers", &MlpParams::layers)
      .range(0, 64)
      .doc("Linear layers, the activation between them; 0 leaves the nodes as they are");
  s.field("hidden", &MlpParams::hidden)
      .range(0, 65536)
      .only_if("layers > 0")
      .doc("Width of every layer, 0 for that of the input");
  s.field("dropout", &MlpParams::dropout)
      .min(0)
      .below(1)
      .only_if("layers > 0")
      .doc("Share of each layer's inputs set to 0 in training");
  s.field("activation", &MlpParams::activation)
      .choices(espalier::activations)
      .only_if("layers > 1")
      .doc("Between the layers");
}

class Mlp final : public espalier::Gnn {
 public:
  using Params = MlpParams;
  Mlp(const Params& params, const espalier::RunContext&) : params_(params) {}

  void init(std::int64_t width, espalier::Parameters& parameters,
            espalier::Random& random) override {
    out_ = params_.hidden == 0 || params_.layers == 0 ? width : params_.hidden;
    perceptron_.init(params_.layers, width, out_, params_.activation, parameters, random);
  }

  std::int64_t out_width() const override { return out_; }
  std::int64_t depth() const override { return 0; }
  bool reads_input() const override { return false; }

  at::Tensor embed(const at::Tensor& x, const espalier::Mode& mode) const override {
    return perceptron_(x, params_.dropout, mode);
  }

  at::Tensor step(std::int64_t, const at::Tensor&, const at::Tensor& targets, const at::Tensor&,
                  const espalier::CsrGraph&, const espalier::Mode&) const override {
    return targets;
  }

 private:
  Params params_;
  std::int64_t out_ = 0;
  espalier::Perceptron perceptron_;
};

}  // namespace

ESPALIER_COMPONENT(gnn, "mlp", 2, Mlp, "Perceptron on each node alone, without a graph",
                   "bipartite node_rows")
