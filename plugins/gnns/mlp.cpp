// A perceptron on each node by itself: what a graph layer is compared with.
#include <espalier/nn/activation.hpp>
#include <espalier/nn/dropout.hpp>
#include <espalier/nn/linear.hpp>
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
    layers_.resize(static_cast<std::size_t>(params_.layers));
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      layers_[l].init("layers." + std::to_string(l), l == 0 ? width : out_, out_,
                      espalier::LinearInit::standard, parameters, random);
    }
  }

  std::int64_t out_width() const override { return out_; }
  std::int64_t depth() const override { return 0; }

  at::Tensor embed(const at::Tensor& x, const espalier::Mode& mode) const override {
    at::Tensor h = x;
    for (std::size_t l = 0; l < layers_.size(); ++l) {
      if (l > 0) h = espalier::activate(params_.activation, h);
      h = layers_[l](espalier::dropout(h, params_.dropout, mode, "layers." + std::to_string(l)));
    }
    return h;
  }

  at::Tensor step(std::int64_t, const at::Tensor&, const at::Tensor& targets, const at::Tensor&,
                  const espalier::CsrGraph&, const espalier::Mode&) const override {
    return targets;
  }

 private:
  Params params_;
  std::int64_t out_ = 0;
  std::vector<espalier::Linear> layers_;
};

}  // namespace

ESPALIER_COMPONENT(gnn, "mlp", 2, Mlp, "Perceptron on each node alone, without a graph",
                   "bipartite")
