// PEANuT (Zhong et al. 2024): a small network makes the change of a weight out of the weight.
//   W'^T = W^T + scaling B f(W^T A),  f `depth` layers there and back with residuals between them,
//   each with a nonlinearity
#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/zeros.h>

#include <espalier/nn/activation.hpp>
#include <espalier/peft/linear_method.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::Site;

struct PeanutParams : espalier::TargetParams {
  PeanutParams() { target_modules = {"q", "v"}; }
  std::int64_t r = 32;
  std::int64_t depth = 0;
  std::string act_fn = "relu";
  double scaling = 1;
};

void bind(espalier::Schema<PeanutParams>& s) {
  bind_targets(s);
  s.field("r", &PeanutParams::r)
      .sizes()
      .range(1, 65536)
      .doc("Width of the network")
      .source("Hugging Face PEFT");
  s.field("depth", &PeanutParams::depth)
      .range(0, 64)
      .doc("Layers on each side of its middle")
      .source("Hugging Face PEFT");
  s.field("act_fn", &PeanutParams::act_fn)
      .choices({"relu", "gelu", "silu", "tanh", "elu"})
      .doc("Nonlinearity")
      .source("Hugging Face PEFT");
  s.field("scaling", &PeanutParams::scaling)
      .above(0)
      .max(1e6)
      .doc("Factor on the change")
      .source("Hugging Face PEFT");
  compared_by_peft(s);
}

struct Layers {
  at::Tensor a;                         // [r, out]
  at::Tensor b;                         // [out, r]
  std::vector<at::Tensor> there, back;  // [r, r]
};

class Network final : public espalier::AddedWeight {
 public:
  Network(const PeanutParams& params, const Site& site, Layers layers)
      : params_(params), weight_(matrix_of(site)), layers_(std::move(layers)) {}

  [[nodiscard]] at::Tensor delta() const override {
    at::Tensor h = layer(weight_.t(), layers_.a);
    std::vector<at::Tensor> residuals;
    for (const at::Tensor& weight : layers_.there) {
      residuals.push_back(h);
      h = layer(h, weight);
    }
    for (const at::Tensor& weight : layers_.back) {
      h = layer(h, weight) + residuals.back();
      residuals.pop_back();
    }
    return at::linear(h, layers_.b).t() * params_.scaling;
  }

 private:
  [[nodiscard]] at::Tensor layer(const at::Tensor& h, const at::Tensor& weight) const {
    return espalier::activate(params_.act_fn, at::linear(h, weight));
  }

  PeanutParams params_;
  at::Tensor weight_;
  Layers layers_;
};

class Peanut final : public espalier::LinearMethod {
 public:
  using Params = PeanutParams;
  Peanut(const Params& params, const espalier::RunContext&)
      : LinearMethod(params), params_(params) {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = config_of("PEANUT");
    config["r"] = params_.r;
    config["depth"] = params_.depth;
    config["act_fn"] = params_.act_fn;
    config["scaling"] = params_.scaling;
    return config;
  }

 private:
  std::shared_ptr<espalier::MapChange> change(Site& site, espalier::Parameters& parameters,
                                              espalier::Random& random) override {
    const std::int64_t r = params_.r, out = outputs_of(site);
    espalier::require_rank("r", r, site);
    const auto add = [&](const std::string& name, const at::Tensor& start) {
      return parameters.add(site.name + ".peanut_" + name + ".weight", start);
    };
    Layers layers;
    layers.a = add("A", espalier::linear_init({r, out}, random));
    layers.b = add("B", at::zeros({out, r}, at::kFloat));
    for (std::int64_t i = 0; i < params_.depth; ++i) {
      const std::string number = std::to_string(i);
      layers.there.push_back(add("encoders." + number, espalier::linear_init({r, r}, random)));
      layers.back.push_back(add("decoders." + number, espalier::linear_init({r, r}, random)));
    }
    return std::make_shared<Network>(params_, site, std::move(layers));
  }

  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "peanut", 1, Peanut,
                   "Changes a weight by a small network of itself (Zhong 2024)",
                   "needs_sites on_linear identity_at_init mergeable")
