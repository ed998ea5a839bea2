// BitFit (Ben Zaken, Goldberg and Ravfogel 2022): every bias of the chosen towers is trained, those
// of linear maps and of norms, and nothing else.
#include <espalier/core/error.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/peft.hpp>
#include <optional>
#include <string>

namespace {

using espalier::AdaptableEncoder;
using espalier::TowerKind;
using espalier::WeightSlot;

struct BitFitParams {
  std::string towers = "image";
  std::int64_t top_layers = 0;
};

void bind(espalier::Schema<BitFitParams>& s) {
  s.field("towers", &BitFitParams::towers)
      .choices({"image", "text", "both"})
      .doc("Towers of the encoder whose biases are trained");
  s.field("top_layers", &BitFitParams::top_layers)
      .range(0, 1000)
      .doc(
          "Layers from the top whose biases are trained, with what is behind them; 0 for the whole "
          "tower");
}

class BitFit final : public espalier::Peft {
 public:
  using Params = BitFitParams;
  BitFit(const Params& params, const espalier::RunContext&) : params_(params) {}

  void attach(AdaptableEncoder& encoder, espalier::Parameters& parameters,
              espalier::Random&) override {
    if (encoder.image() != nullptr) require_layers(*encoder.image());
    if (encoder.text() != nullptr) require_layers(*encoder.text());
    for (const WeightSlot& weight : encoder.weights()) {
      if (!weight.name.ends_with("bias") || !chosen(weight.place, encoder)) continue;
      require_float(weight);
      *weight.slot = parameters.add(weight.name, weight.frozen);
    }
  }

  void merge(AdaptableEncoder& encoder) override {
    for (const WeightSlot& weight : encoder.weights()) {
      if (weight.slot->requires_grad()) *weight.slot = weight.slot->detach();
    }
  }

 private:
  [[nodiscard]] bool trains(TowerKind tower) const {
    return params_.towers == "both" || params_.towers == to_string(tower);
  }

  void require_layers(const espalier::Tower& tower) const {
    if (!trains(tower.kind()) || params_.top_layers <= tower.layers()) return;
    throw espalier::Error({.what = "peft.top_layers is more than the " +
                                   std::string(to_string(tower.kind())) + " tower has",
                           .where = {},
                           .expected = "at most " + std::to_string(tower.layers()),
                           .found = std::to_string(params_.top_layers),
                           .fix = "0 trains the whole tower"});
  }

  // A feature does not depend on what stands beside the towers, nor on a pooler at layers + 2.
  [[nodiscard]] bool chosen(const std::optional<espalier::WeightPlace>& place,
                            const AdaptableEncoder& encoder) const {
    if (!place || !trains(place->tower)) return false;
    const bool image = place->tower == TowerKind::image;
    const std::int64_t layers = image ? encoder.image()->layers() : encoder.text()->layers();
    const std::int64_t lowest = params_.top_layers == 0 ? -1 : layers - params_.top_layers;
    return lowest <= place->layer && place->layer <= layers + 1;
  }

  static void require_float(const WeightSlot& weight) {
    if (weight.frozen.scalar_type() == at::kFloat) return;
    throw espalier::Error({.what = "a weight of the encoder cannot be trained as it is stored",
                           .where = weight.name,
                           .expected = "float32",
                           .found = c10::toString(weight.frozen.scalar_type()),
                           .fix = "encoder.precision=float32"});
  }

  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "bitfit", 1, BitFit, "Trains the biases of an encoder (Ben Zaken 2022)",
                   "needs_sites identity_at_init mergeable")
