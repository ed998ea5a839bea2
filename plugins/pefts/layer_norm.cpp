// LN tuning (Zhao et al. 2023): weights and biases of layer norms are trained, and nothing else.
#include <algorithm>
#include <espalier/peft/adapter.hpp>
#include <espalier/peft/weight_method.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::AdaptableEncoder;
using espalier::Site;
using espalier::WeightSlot;

struct LayerNormParams : espalier::TargetParams {};

void bind(espalier::Schema<LayerNormParams>& s) {
  bind_targets(s);
  s.paper({{"lr", 2e-4},
           {"weight_decay", 0.01},
           {"batch_size", 32},
           {"schedule", "cosine"},
           {"warmup", 0}},
          "Farina et al. 2025, few-shot CLIP, for 300 updates a shot");
}

class LayerNorm final : public espalier::WeightMethod {
 public:
  using Params = LayerNormParams;
  LayerNorm(const Params& params, const espalier::RunContext&)
      : WeightMethod(params), targets_(params) {
    if (params.target_modules.empty() && params.target_regex.empty()) targets_.target_regex = ".*";
  }

  [[nodiscard]] espalier::Json adapter_config() const override {
    std::vector<std::string> names;
    for (const Site* norm : norms_) names.push_back(norm->name);
    espalier::Json config = espalier::adapter_config_of("LN_TUNING", std::move(names));
    if (!targets_.modules_to_save.empty()) config["modules_to_save"] = targets_.modules_to_save;
    return config;
  }

 private:
  void begin(const AdaptableEncoder& encoder, espalier::Parameters& parameters) override {
    norms_ = find_targets(encoder, espalier::SiteRole::norm, targets_);
    train_whole(encoder, targets_, parameters);
  }
  [[nodiscard]] bool trains(const WeightSlot& weight) const override {
    return std::ranges::any_of(norms_, [&](const Site* norm) {
      return weight.slot == &norm->weight || weight.slot == &norm->bias;
    });
  }
  [[nodiscard]] std::string name_of(const WeightSlot& weight) const override {
    const std::size_t dot = weight.name.rfind('.');
    return weight.name.substr(0, dot) + ".ln_tuning_layers" + weight.name.substr(dot);
  }

  espalier::TargetParams targets_;
  std::vector<Site*> norms_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "layer_norm", 1, LayerNorm, "Trains layer norms (Zhao 2023)",
                   "needs_sites on_norm identity_at_init mergeable")
