// Full fine-tuning: every weight of the chosen layers is trained.
//
// With layer_decay d a layer i of L learns at the rate d^(L - i), the embeddings at d^(L + 1), what
// is behind the layers at the full rate (Clark et al. 2020; Bao et al. 2022). Biases and the
// weights of norms are not decayed (Devlin et al. 2019).
#include <cmath>
#include <espalier/peft/weight_method.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::AdaptableEncoder;
using espalier::ParameterRates;
using espalier::TowerKind;
using espalier::WeightSlot;

struct FullParams : espalier::LayerParams {
  double layer_decay = 1;
};

void bind(espalier::Schema<FullParams>& s) {
  bind_layers(s);
  s.field("layer_decay", &FullParams::layer_decay)
      .above(0)
      .max(1)
      .doc("Factor on the learning rate from each layer to the one below it")
      .source("Bao et al. 2022 take 0.65 for ViT-B");
  compared_by_peft(s, {{"lr", 1e-5}});
}

class Full final : public espalier::WeightMethod {
 public:
  using Params = FullParams;
  Full(const Params& params, const espalier::RunContext&)
      : WeightMethod(params), decay_(params.layer_decay) {}

  [[nodiscard]] espalier::Json adapter_config() const override { return config_of("full"); }

 private:
  [[nodiscard]] bool trains(const WeightSlot&) const override { return true; }

  [[nodiscard]] ParameterRates rates_of(const WeightSlot& weight,
                                        const AdaptableEncoder& encoder) const override {
    const bool image = weight.place->tower == TowerKind::image;
    const std::int64_t layers = image ? encoder.image()->layers() : encoder.text()->layers();
    const std::int64_t below = std::max<std::int64_t>(layers - weight.place->layer, 0);
    return {.lr = std::pow(decay_, static_cast<double>(below)),
            .decay = weight.frozen.dim() > 1 ? 1.0 : 0.0};
  }

  double decay_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "full", 1, Full, "Trains every weight of the chosen layers",
                   "needs_sites on_linear on_norm identity_at_init mergeable")
