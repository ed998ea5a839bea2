// (IA)^3 (Liu et al. 2022): a factor for each output of keys and values, and for each input of the
// MLP's second map.
//   y = (W x + b) * l, or y = W (x * l) + b
#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>

#include <algorithm>
#include <espalier/peft/linear_method.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::LinearMap;
using espalier::Mode;
using espalier::Site;

struct Ia3Params : espalier::TargetParams {
  Ia3Params() { target_modules = {"k", "v", "fc2"}; }
  std::vector<std::string> feedforward_modules = {"fc2"};
};

void bind(espalier::Schema<Ia3Params>& s) {
  bind_targets(s);
  s.field("feedforward_modules", &Ia3Params::feedforward_modules)
      .doc("Modules among the chosen ones whose inputs are scaled instead of their outputs")
      .source("Liu et al. 2022");
  compared_by_peft(s, {{"lr", 5e-3}, {"weight_decay", 0}});
}

at::Tensor scaled(const at::Tensor& x, const at::Tensor& factors) {
  return (x.to(at::kFloat) * factors.flatten()).to(x.scalar_type());
}

class ScaledOutput final : public espalier::OutputChange {
 public:
  explicit ScaledOutput(at::Tensor factors) : factors_(std::move(factors)) {}

  [[nodiscard]] at::Tensor output(const at::Tensor&, const at::Tensor& y,
                                  const Mode&) const override {
    return scaled(y, factors_);
  }
  [[nodiscard]] LinearMap folded(const LinearMap& frozen) const override {
    LinearMap map{frozen.weight * factors_, frozen.bias};
    if (map.bias.defined()) map.bias = map.bias * factors_.flatten();
    return map;
  }

 private:
  at::Tensor factors_;  // [out, 1]
};

class ScaledInput final : public espalier::InputChange {
 public:
  explicit ScaledInput(at::Tensor factors) : factors_(std::move(factors)) {}

  [[nodiscard]] at::Tensor input(const at::Tensor& x, const Mode&) const override {
    return scaled(x, factors_);
  }
  [[nodiscard]] LinearMap folded(const LinearMap& frozen) const override {
    return {frozen.weight * factors_, frozen.bias};
  }

 private:
  at::Tensor factors_;  // [1, in]
};

class Ia3 final : public espalier::LinearMethod {
 public:
  using Params = Ia3Params;
  Ia3(const Params& params, const espalier::RunContext&) : LinearMethod(params), params_(params) {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = config_of("IA3");
    config["feedforward_modules"] = feedforward_;
    return config;
  }

 private:
  std::shared_ptr<espalier::MapChange> change(Site& site, espalier::Parameters& parameters,
                                              espalier::Random&) override {
    const bool feedforward = std::ranges::any_of(
        params_.feedforward_modules,
        [&](const std::string& module) { return espalier::means(module, site); });
    const std::string name = site.name + ".ia3_l";
    if (!feedforward) {
      return std::make_shared<ScaledOutput>(
          parameters.add(name, at::ones({outputs_of(site), 1}, at::kFloat)));
    }
    feedforward_.push_back(site.name);
    return std::make_shared<ScaledInput>(
        parameters.add(name, at::ones({1, inputs_of(site)}, at::kFloat)));
  }

  Params params_;
  std::vector<std::string> feedforward_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "ia3", 1, Ia3, "Scales keys, values and the MLP (Liu 2022)",
                   "needs_sites on_linear identity_at_init mergeable")
