// BEFT (as Hugging Face PEFT 0.21 has it): a trained bias beside that of each chosen map.
//   y <- y + c
#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>

#include <espalier/peft/linear_method.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::LinearMap;
using espalier::Site;

struct BeftParams : espalier::TargetParams {
  BeftParams() { target_modules = {"q", "v"}; }
};

void bind(espalier::Schema<BeftParams>& s) {
  bind_targets(s);
  compared_by_peft(s);
}

class AddedBias final : public espalier::OutputChange {
 public:
  // [1, out]
  explicit AddedBias(at::Tensor bias) : bias_(std::move(bias)) {}

  [[nodiscard]] at::Tensor output(const at::Tensor&, const at::Tensor& y,
                                  const espalier::Mode&) const override {
    return (y.to(at::kFloat) + bias_.squeeze(0)).to(y.scalar_type());
  }
  [[nodiscard]] LinearMap folded(const LinearMap& frozen) const override {
    const at::Tensor own = bias_.squeeze(0);
    return {frozen.weight, frozen.bias.defined() ? frozen.bias + own : own};
  }

 private:
  at::Tensor bias_;
};

class Beft final : public espalier::LinearMethod {
 public:
  using Params = BeftParams;
  Beft(const Params& params, const espalier::RunContext&) : LinearMethod(params) {}

  [[nodiscard]] espalier::Json adapter_config() const override { return config_of("BEFT"); }

 private:
  std::shared_ptr<espalier::MapChange> change(Site& site, espalier::Parameters& parameters,
                                              espalier::Random&) override {
    return std::make_shared<AddedBias>(
        parameters.add(site.name + ".beft_bias", at::zeros({1, outputs_of(site)}, at::kFloat)));
  }
};

}  // namespace

ESPALIER_COMPONENT(peft, "beft", 1, Beft, "Adds trained biases to linear maps",
                   "needs_sites on_linear identity_at_init mergeable")
