// BitFit (Ben Zaken, Goldberg and Ravfogel 2022): the biases of the chosen towers are trained,
// those of linear maps and of norms, and nothing else.
#include <espalier/peft/weight_method.hpp>
#include <espalier/plugin/component.hpp>

namespace {

struct BitFitParams : espalier::LayerParams {};

void bind(espalier::Schema<BitFitParams>& s) {
  bind_layers(s);
  s.paper({{"lr", 2e-4},
           {"weight_decay", 0.01},
           {"batch_size", 32},
           {"schedule", "cosine"},
           {"warmup", 0}},
          "Farina et al. 2025, few-shot CLIP, for 300 updates a shot");
}

class BitFit final : public espalier::WeightMethod {
 public:
  using Params = BitFitParams;
  BitFit(const Params& params, const espalier::RunContext&) : WeightMethod(params) {}

  [[nodiscard]] espalier::Json adapter_config() const override { return config_of("bitfit"); }

 private:
  [[nodiscard]] bool trains(const espalier::WeightSlot& weight) const override {
    return weight.name.ends_with("bias");
  }
};

}  // namespace

ESPALIER_COMPONENT(peft, "bitfit", 2, BitFit, "Trains the biases of an encoder (Ben Zaken 2022)",
                   "needs_sites on_linear on_norm identity_at_init mergeable")
