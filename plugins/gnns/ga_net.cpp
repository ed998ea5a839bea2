// GA-Net's bottleneck adapter around another network (Cheng 2024, arXiv 2408.00290):
//   y = x + s W_up a(GNN(W_down x, G)),  with W_up zero at the start, so that y begins as x.
#include <ATen/ops/add.h>

#include <espalier/nn/activation.hpp>
#include <espalier/nn/linear.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/gnn.hpp>

namespace {

struct GaNetParams {
  espalier::ComponentRef layer{"gcn"};
  std::int64_t bottleneck = 64;
  double scale = 1.0;
  std::string activation = "relu";
};

void bind(espalier::Schema<GaNetParams>& s) {
  s.field("layer", &GaNetParams::layer).kind("gnn").doc("The network inside the bottleneck");
  s.field("bottleneck", &GaNetParams::bottleneck)
      .range(1, 65536)
      .doc("Width that the node states are projected to");
  s.field("scale", &GaNetParams::scale).range(-100, 100).doc("Factor s on what the adapter adds");
  s.field("activation", &GaNetParams::activation)
      .choices(espalier::activations)
      .doc("Function a after the network");
}

class GaNet final : public espalier::Gnn {
 public:
  using Params = GaNetParams;
  GaNet(const Params& params, const espalier::RunContext& context)
      : params_(params), layer_(context.make<espalier::Gnn>(params.layer)) {}

  void init(std::int64_t width, espalier::Parameters& parameters,
            espalier::Random& random) override {
    width_ = width;
    down_.init("down", width, params_.bottleneck, espalier::LinearInit::standard, parameters,
               random);
    {
      const espalier::Parameters::Scope scope(parameters, "layer");
      layer_->init(params_.bottleneck, parameters, random);
    }
    up_.init("up", layer_->out_width(), width, espalier::LinearInit::zero, parameters, random);
  }

  std::int64_t out_width() const override { return width_; }
  std::int64_t depth() const override { return layer_->depth(); }

  at::Tensor embed(const at::Tensor& x, const espalier::Mode& mode) const override {
    return layer_->embed(down_(x), mode);
  }

  at::Tensor step(std::int64_t layer, const at::Tensor& sources, const at::Tensor& targets,
                  const at::Tensor& targets_0, const espalier::CsrGraph& graph,
                  const espalier::Mode& mode) const override {
    return layer_->step(layer, sources, targets, targets_0, graph, mode);
  }

  at::Tensor readout(const at::Tensor& h, const at::Tensor& x,
                     const espalier::Mode& mode) const override {
    const at::Tensor below = layer_->reads_input() ? down_(x) : at::Tensor();
    const at::Tensor inner = layer_->readout(h, below, mode);
    return at::add(x, up_(espalier::activate(params_.activation, inner)), params_.scale);
  }

 private:
  Params params_;
  std::shared_ptr<espalier::Gnn> layer_;
  std::int64_t width_ = 0;
  espalier::Linear down_;
  espalier::Linear up_;
};

}  // namespace

ESPALIER_COMPONENT(gnn, "ga_net", 1, GaNet, "Bottleneck adapter around another network (GA-Net)",
                   "wraps:layer identity_at_init node_rows")
