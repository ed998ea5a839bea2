// SSF (Lian et al. 2022): whatever a norm, a linear map or the patch embedding gives is scaled and
// shifted,
//   y <- gamma * y + beta, gamma ~ N(1, 0.02^2), beta ~ N(0, 0.02^2).
// Folded it is exact: W <- diag(gamma) W, b <- gamma * b + beta, and of norms likewise. The patch
// embedding of CLIP has no bias; its shift goes into the positions of the patches.
#include <ATen/TensorOperators.h>
#include <c10/core/GradMode.h>

#include <espalier/core/error.hpp>
#include <espalier/peft/adapter.hpp>
#include <espalier/peft/linear_method.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::AdaptableEncoder;
using espalier::LinearMap;
using espalier::Parameters;
using espalier::Site;

struct SsfParams : espalier::TargetParams {
  SsfParams() { target_modules = {"all-norm", "all-inner"}; }
};

void bind(espalier::Schema<SsfParams>& s) {
  bind_targets(s);
  s.paper({{"lr", 5e-3},
           {"weight_decay", 5e-5},
           {"batch_size", 32},
           {"epochs", 100},
           {"warmup", 0.1},
           {"schedule", "cosine"}},
          "the authors' code, VTAB Pets and Flowers");
}

constexpr double deviation = 0.02;

// One scale and shift a channel.
struct ScaleShift {
  at::Tensor scale;
  at::Tensor shift;

  [[nodiscard]] at::Tensor operator()(const at::Tensor& y) const {
    return (y.to(at::kFloat) * scale + shift).to(y.scalar_type());
  }
  // Of a map, or of a norm. What has no bias gets none.
  [[nodiscard]] LinearMap folded(const Site& site) const {
    const at::Tensor rows = site.weight.detach().to(at::kFloat).reshape({scale.size(0), -1});
    LinearMap map{rows * scale.unsqueeze(1), {}};
    if (site.bias.defined()) map.bias = site.bias.detach().to(at::kFloat) * scale + shift;
    return map;
  }
};

[[noreturn]] void nowhere_to_fold(const std::string& site) {
  throw espalier::Error({.what = "a shift has nowhere to be folded into",
                         .where = site,
                         .expected = "a map with a bias, or a patch embedding with positions",
                         .found = "a map without a bias",
                         .fix = "keep the adapter beside the model, or train without this module "
                                "(peft.exclude_modules)"});
}

// The learned positions of pictures, the last of which are those of patches.
at::Tensor& positions_of(const AdaptableEncoder& encoder) {
  for (const espalier::WeightSlot& weight : encoder.weights()) {
    const bool image = weight.place && weight.place->tower == espalier::TowerKind::image;
    if (image && weight.name.ends_with("position_embedding.weight")) return *weight.slot;
  }
  nowhere_to_fold("positions of pictures");
}

void shift_patches(const AdaptableEncoder& encoder, const at::Tensor& shift) {
  at::Tensor& positions = positions_of(encoder);
  const std::int64_t side = encoder.image()->image_size() / encoder.image()->patch_size();
  const std::int64_t patches = side * side;
  at::Tensor shifted = positions.detach().clone();
  shifted.narrow(0, shifted.size(0) - patches, patches).add_(shift.to(shifted.scalar_type()));
  positions = shifted;
}

class Ssf final : public espalier::Peft {
 public:
  using Params = SsfParams;
  Ssf(const Params& params, const espalier::RunContext&) : params_(params) {}

  void attach(AdaptableEncoder& encoder, Parameters& parameters,
              espalier::Random& random) override {
    using espalier::SiteRole;
    for (Site* site : find_targets(encoder, {SiteRole::norm, SiteRole::linear}, params_)) {
      const std::int64_t width[] = {site->weight.size(0)};
      const at::Tensor scale = 1 + espalier::normal_init(width, deviation, random);
      const at::Tensor shift = espalier::normal_init(width, deviation, random);
      const ScaleShift both{parameters.add(site->name + ".scale", scale),
                            parameters.add(site->name + ".shift", shift)};
      site->hook_output([both](const at::Tensor&, const at::Tensor& y, const espalier::Mode&) {
        return both(y);
      });
      changes_.emplace_back(site, both);
    }
    train_whole(encoder, params_, parameters);
  }

  void merge(AdaptableEncoder& encoder) override {
    const c10::NoGradGuard no_grad;
    std::vector<std::pair<Site*, LinearMap>> maps;
    at::Tensor of_patches;
    for (const auto& [site, change] : changes_) {
      maps.emplace_back(site, change.folded(*site));
      if (site->bias.defined()) continue;
      if (site->part != "patch") nowhere_to_fold(site->name);
      of_patches = change.shift;
    }
    put_maps(encoder, maps);
    if (of_patches.defined()) shift_patches(encoder, of_patches);
  }

  [[nodiscard]] espalier::Json adapter_config() const override {
    std::vector<std::string> names;
    for (const auto& [site, change] : changes_) names.push_back(site->name);
    return espalier::own_adapter_config(
        "ssf", {{"target_modules", names}, {"modules_to_save", params_.modules_to_save}});
  }

 private:
  Params params_;
  std::vector<std::pair<Site*, ScaleShift>> changes_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "ssf", 1, Ssf, "Scales and shifts what norms and maps give (Lian 2022)",
                   "needs_sites on_linear on_norm mergeable")
