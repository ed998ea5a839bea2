// VPT (Jia et al. 2022): learned tokens in the sequence of an image tower, behind the class token.
//   shallow  [c, P_0, patches] enters the first layer
//   deep     and in what enters layer i > 0 the tokens 1 to p are replaced by P_i
// P ~ U(+-sqrt(6 / (3 s^2 + w))) for patches of side s and width w. The feature is read off the
// class token as before. The paper's ViT has no norm before its layers; where there is one, as in
// CLIP, P_0 is put behind it or before it.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>

#include <cmath>
#include <espalier/nn/dropout.hpp>
#include <espalier/peft/adapter.hpp>
#include <espalier/peft/targets.hpp>
#include <espalier/plugin/component.hpp>
#include <espalier/plugin/peft.hpp>

namespace {

using espalier::AdaptableEncoder;
using espalier::Parameters;
using espalier::Site;

struct VptParams {
  std::int64_t num_tokens = 5;
  bool deep = false;
  double dropout = 0;
  bool before_pre_norm = false;
};

void bind(espalier::Schema<VptParams>& s) {
  s.field("num_tokens", &VptParams::num_tokens)
      .sizes()
      .range(1, 4096)
      .doc("Learned tokens p in each sequence")
      .source("the authors' code; the paper tries 1 to 200");
  s.field("deep", &VptParams::deep).doc("Tokens of its own for every layer, not the first alone");
  s.field("dropout", &VptParams::dropout)
      .min(0)
      .below(1)
      .doc("Share of the learned tokens' values that is dropped in training");
  s.field("before_pre_norm", &VptParams::before_pre_norm)
      .doc("Put the first tokens before the norm that some towers have in front of their layers");
  s.paper({{"optimizer", "sgd"},
           {"momentum", 0.9},
           {"lr", 0.5},
           {"weight_decay", 1e-3},
           {"batch_size", 64},
           {"epochs", 100},
           {"warmup", 0.1},
           {"schedule", "cosine"}},
          "Jia et al. 2022: rate and decay from the middle of the grid that they search");
}

std::vector<Site*> image_tokens(const AdaptableEncoder& encoder, std::string_view part) {
  using espalier::SiteRole, espalier::TowerKind;
  return espalier::tower_sites(encoder, TowerKind::image, SiteRole::tokens, part);
}

class Vpt final : public espalier::Peft {
 public:
  using Params = VptParams;
  Vpt(const Params& params, const espalier::RunContext&) : params_(params) {}

  void attach(AdaptableEncoder& encoder, Parameters& parameters,
              espalier::Random& random) override {
    if (encoder.image() == nullptr) return;
    std::vector<Site*> sites = image_tokens(encoder, "layer");
    if (sites.empty()) return;
    if (!params_.deep) sites.resize(1);
    if (params_.before_pre_norm) sites[0] = image_tokens(encoder, "embeddings").at(0);
    const at::Tensor prompts =
        parameters.add("prompts", start(*encoder.image(), std::ssize(sites), random));
    for (std::size_t i = 0; i < sites.size(); ++i) {
      const std::int64_t replaced = i == 0 ? 0 : params_.num_tokens;
      hook(*sites[i], prompts, static_cast<std::int64_t>(i), replaced);
    }
  }

  [[nodiscard]] espalier::Json adapter_config() const override {
    return espalier::own_adapter_config("vpt", {{"num_tokens", params_.num_tokens},
                                                {"deep", params_.deep},
                                                {"dropout", espalier::number(params_.dropout)},
                                                {"before_pre_norm", params_.before_pre_norm}});
  }

 private:
  [[nodiscard]] at::Tensor start(const espalier::VisionTower& tower, std::int64_t depth,
                                 espalier::Random& random) const {
    const std::int64_t inputs = 3 * tower.patch_size() * tower.patch_size();
    const double bound = std::sqrt(6.0 / static_cast<double>(inputs + tower.width()));
    return espalier::uniform_init({depth, params_.num_tokens, tower.width()}, bound, random);
  }

  // Behind the first token. Without a class token its place is of no meaning, since positions were
  // added before.
  void hook(Site& site, const at::Tensor& prompts, std::int64_t layer,
            std::int64_t replaced) const {
    site.hook_input([prompts, layer, replaced, p = params_.dropout, name = site.name](
                        const at::Tensor& x, const espalier::Mode& mode) {
      const at::Tensor own = prompts.select(0, layer).expand({x.size(0), -1, -1});
      const at::Tensor kept = espalier::dropout(own, p, mode, name).to(x.scalar_type());
      return at::cat({x.slice(1, 0, 1), kept, x.slice(1, 1 + replaced)}, 1);
    });
  }

  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "vpt", 1, Vpt, "Learned tokens in an image tower's sequence (Jia 2022)",
                   "needs_sites needs_image on_tokens")
