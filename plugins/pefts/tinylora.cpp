// TinyLoRA (Morris et al. 2026): the r strongest directions of a weight are mixed by a random
// combination of u numbers, all that is trained, which maps may share.
//   y <- y + B (sum_i v_i P_i) A drop(x), B A the best approximation of W of rank r, P_i random
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linalg_svd.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <espalier/peft/linear_method.hpp>
#include <espalier/peft/seeded.hpp>
#include <espalier/plugin/component.hpp>
#include <map>

namespace {

using espalier::Factors;
using espalier::Parameters;
using espalier::Site;

struct TinyParams : espalier::TargetParams {
  TinyParams() { target_modules = {"q", "v"}; }
  std::int64_t r = 2;
  std::int64_t u = 64;
  double weight_tying = 0;
  std::int64_t projection_seed = 42;
  bool save_projection = true;
  double tinylora_dropout = 0;
  std::string bias = "none";
};

void bind(espalier::Schema<TinyParams>& s) {
  bind_targets(s);
  s.field("r", &TinyParams::r)
      .range(1, 65536)
      .doc("Directions of each weight")
      .source("Morris et al. 2026");
  s.field("u", &TinyParams::u)
      .sizes()
      .range(1, 65536)
      .doc("Numbers that a group of maps trains")
      .source("Hugging Face PEFT");
  s.field("weight_tying", &TinyParams::weight_tying)
      .range(0, 1)
      .doc("How far maps share numbers: 0 none, 1 all of them")
      .source("Hugging Face PEFT");
  s.field("projection_seed", &TinyParams::projection_seed)
      .min(0)
      .doc("Seed of the random matrices, which the seed of a trial leaves alone")
      .source("Hugging Face PEFT");
  s.field("save_projection", &TinyParams::save_projection)
      .doc("Keep the random matrices in the adapter, instead of their seed alone");
  s.field("tinylora_dropout", &TinyParams::tinylora_dropout)
      .min(0)
      .below(1)
      .doc("Share of what enters A that is dropped in training");
  bind_bias(s, "tinylora_only");
  compared_by_peft(s);
}

class Mixed final : public espalier::AddedProduct {
 public:
  // `mixtures` [u, r, r], `numbers` [u].
  Mixed(espalier::InputDropout dropout, Factors principal, at::Tensor mixtures, at::Tensor numbers)
      : AddedProduct(std::move(dropout)),
        principal_(std::move(principal)),
        mixtures_(std::move(mixtures)),
        numbers_(std::move(numbers)) {}

  [[nodiscard]] Factors factors() const override {
    const at::Tensor mixture = (numbers_.view({-1, 1, 1}) * mixtures_).sum(0);
    return {principal_.a, at::matmul(principal_.b, mixture)};
  }

 private:
  Factors principal_;
  at::Tensor mixtures_;
  at::Tensor numbers_;
};

class TinyLora final : public espalier::LinearMethod {
 public:
  using Params = TinyParams;
  TinyLora(const Params& params, const espalier::RunContext&)
      : LinearMethod(params, params.bias), params_(params) {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = config_of("TINYLORA");
    config["r"] = params_.r;
    config["u"] = params_.u;
    config["weight_tying"] = params_.weight_tying;
    config["projection_seed"] = params_.projection_seed;
    config["save_projection"] = params_.save_projection;
    config["tinylora_dropout"] = params_.tinylora_dropout;
    return config;
  }
  [[nodiscard]] std::vector<Parameters::Entry> buffers() const override { return frozen_; }

 private:
  // Groups of maps that follow each other share their numbers.
  void begin(const espalier::AdaptableEncoder&, std::span<Site* const> sites,
             Parameters& parameters, espalier::Random&) override {
    const std::vector<Site*> ordered = espalier::in_published_order({sites.begin(), sites.end()});
    const std::int64_t count = std::ssize(ordered);
    const auto groups = std::max<std::int64_t>(
        1, std::llrint(static_cast<double>(count) * (1 - params_.weight_tying)));
    for (std::int64_t i = 0; i < count; ++i) {
      const std::int64_t group = std::min(i / (count / groups), groups - 1);
      if (group == std::ssize(numbers_)) {
        numbers_.push_back(parameters.add("base_model.tinylora_v." + std::to_string(group),
                                          at::zeros({params_.u}, at::kFloat)));
      }
      places_[ordered[static_cast<std::size_t>(i)]] = {i, numbers_.back()};
    }
  }

  std::shared_ptr<espalier::MapChange> change(Site& site, Parameters& parameters,
                                              espalier::Random&) override {
    espalier::require_rank("r", params_.r, site);
    const auto& [place, numbers] = places_.at(&site);
    const Factors strongest = principal(site);
    at::Generator generator = espalier::seeded_generator(params_.projection_seed + place);
    const double deviation = 1 / std::sqrt(static_cast<double>(params_.r));
    const at::Tensor mixtures = at::empty({params_.u, params_.r, params_.r}, at::kFloat)
                                    .normal_(0, deviation, generator)
                                    .to(parameters.device());
    frozen_.emplace_back(site.name + ".tinylora_A", strongest.a);
    frozen_.emplace_back(site.name + ".tinylora_B", strongest.b);
    if (params_.save_projection) frozen_.emplace_back(site.name + ".tinylora_P", mixtures);
    return std::make_shared<Mixed>(espalier::InputDropout{site.name, params_.tinylora_dropout},
                                   strongest, mixtures, numbers);
  }

  [[nodiscard]] Factors principal(const Site& site) const {
    const auto [u, s, v] = at::linalg_svd(matrix_of(site).cpu(), /*full_matrices=*/false);
    const at::Tensor root = s.slice(0, 0, params_.r).sqrt();
    const at::Device device = site.weight.device();
    return {(v.slice(0, 0, params_.r) * root.unsqueeze(1)).to(device),
            (u.slice(1, 0, params_.r) * root).to(device)};
  }

  struct Place {
    std::int64_t index = 0;
    at::Tensor numbers;
  };
  Params params_;
  std::vector<at::Tensor> numbers_;  // of each group
  std::map<const Site*, Place> places_;
  std::vector<Parameters::Entry> frozen_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "tinylora", 1, TinyLora,
                   "Mixes the strongest directions of weights by a few numbers (Morris 2026)",
                   "needs_sites on_linear identity_at_init mergeable")
