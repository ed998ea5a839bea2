// MaPLe (Khattak et al. 2023): learned words in the classes' texts, in J layers, and beside them
// tokens of pictures that follow from these words,
//   texts    layer i < J has the words P_i [n, t] in front of the class's name
//   pictures and at the end of the sequence the tokens F_i(P_i) = P_i A_i^T + a_i [n, v]
// P_0 starts from given words, the others from N(0, 0.02^2), F as PyTorch's linear layers. P_0
// takes the place of word embeddings; F_0(P_0) comes before the norm that is in front of the
// layers. Captions stay as they are.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>

#include <algorithm>
#include <espalier/nn/linear.hpp>
#include <espalier/peft/adapter.hpp>
#include <espalier/peft/prompt_context.hpp>
#include <espalier/peft/targets.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::AdaptableEncoder;
using espalier::Linear;
using espalier::Mode;
using espalier::Parameters;
using espalier::Site;

struct MapleParams : espalier::ContextParams {
  MapleParams() {
    n_ctx = 2;
    ctx_init = "a photo of a";
  }
  std::int64_t prompt_depth = 9;
};

void bind(espalier::Schema<MapleParams>& s) {
  bind_context(s);
  s.field("prompt_depth", &MapleParams::prompt_depth)
      .range(1, 1000)
      .doc("Layers from the bottom with words of their own; no more than both towers have count")
      .source("Khattak et al. 2023");
  s.paper({{"optimizer", "sgd"},
           {"momentum", 0.9},
           {"lr", 3.5e-3},
           {"weight_decay", 5e-4},
           {"batch_size", 4},
           {"epochs", 5},
           {"schedule", "cosine"}},
          "the authors' code");
}

constexpr double deviation = 0.02;

// The sequences that layers see, the lowest before anything is added to them.
std::vector<Site*> sequences(const AdaptableEncoder& encoder, espalier::TowerKind tower,
                             const char* lowest) {
  constexpr auto tokens = espalier::SiteRole::tokens;
  std::vector<Site*> sites = espalier::tower_sites(encoder, tower, tokens, "layer");
  sites.at(0) = espalier::tower_sites(encoder, tower, tokens, lowest).at(0);
  return sites;
}

class Maple final : public espalier::Peft {
 public:
  using Params = MapleParams;
  Maple(const Params& params, const espalier::RunContext&) : params_(params), place_(params) {}

  [[nodiscard]] std::string class_template() const override { return place_.class_template(); }
  void prepare(const espalier::MethodInput& input) override { place_.find(input); }

  void attach(AdaptableEncoder& encoder, Parameters& parameters,
              espalier::Random& random) override {
    if (encoder.image() == nullptr || encoder.text() == nullptr) return;
    const std::vector<Site*> texts = sequences(encoder, espalier::TowerKind::text, "words");
    const std::vector<Site*> images = sequences(encoder, espalier::TowerKind::image, "embeddings");
    const std::int64_t width = encoder.text()->width();
    const std::int64_t depth =
        std::min({params_.prompt_depth, std::ssize(texts), std::ssize(images)});
    for (std::int64_t i = 0; i < depth; ++i) {
      const at::Tensor words =
          i == 0 ? place_.start(encoder, deviation, random)
                 : espalier::normal_init({place_.length(), width}, deviation, random);
      const std::string number = std::to_string(i);
      const at::Tensor context = parameters.add("context." + number, words);
      Linear projection;
      projection.init("projection." + number, width, encoder.image()->width(),
                      espalier::LinearInit::standard, parameters, random);
      const auto layer = static_cast<std::size_t>(i);
      hook_texts(*texts[layer], context);
      hook_images(*images[layer], context, projection, i == 0 ? 0 : place_.length());
    }
  }

  [[nodiscard]] espalier::Json adapter_config() const override {
    return espalier::own_adapter_config("maple", {{"n_ctx", params_.n_ctx},
                                                  {"ctx_init", params_.ctx_init},
                                                  {"prompt_depth", params_.prompt_depth}});
  }

 private:
  void hook_texts(Site& site, const at::Tensor& context) const {
    site.hook_input([context, place = place_](const at::Tensor& x, const Mode& mode) {
      return mode.classes.empty() ? x : place.put(x, context);
    });
  }

  static void hook_images(Site& site, const at::Tensor& context, const Linear& projection,
                          std::int64_t replaced) {
    site.hook_input([context, projection, replaced](const at::Tensor& x, const Mode&) {
      const at::Tensor tokens = projection(context).to(x.scalar_type());
      const at::Tensor kept = x.slice(1, 0, x.size(1) - replaced);
      return at::cat({kept, tokens.expand({x.size(0), -1, -1})}, 1);
    });
  }

  Params params_;
  espalier::PromptContext place_;
};

}  // namespace

ESPALIER_COMPONENT(
    peft, "maple", 1, Maple,
    "Learns words before a class's name, and tokens of pictures from them (Khattak 2023)",
    "needs_sites needs_features class_template")
