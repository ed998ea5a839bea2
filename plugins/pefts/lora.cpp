// LoRA (Hu et al. 2021): a low rank beside each chosen linear map.
//   y <- y + s B A drop(x), s = lora_alpha / r
// rsLoRA (Kalajdzievski 2023): s = lora_alpha / sqrt(r). DoRA (Liu et al. 2024): the rows of
// W + s B A are brought to trained lengths. LoRA+ (Hayou et al. 2024): B learns faster than A.
// PiSSA (Meng et al. 2024) and OLoRA (Buyukakyuz 2024) start from the weight's own factors; what
// they would take off the frozen weight is taken off the output instead, so the base stays clean.
#include "pefts/lora/low_rank.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/linalg_svd.h>
#include <ATen/ops/sqrt.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <espalier/peft/adapter.hpp>
#include <espalier/plugin/component.hpp>
#include <map>

namespace {

using espalier::Factors;
using espalier::LowRank;
using espalier::Parameters;
using espalier::Site;

struct LoraParams : espalier::TargetParams {
  LoraParams() { target_modules = {"q", "v"}; }
  std::int64_t r = 8;
  double lora_alpha = 8;
  double lora_dropout = 0;
  bool use_rslora = false;
  bool use_dora = false;
  bool lora_bias = false;
  std::string bias = "none";
  std::string init_lora_weights = "kaiming";
  std::vector<std::string> rank_pattern;
  std::vector<std::string> alpha_pattern;
  double loraplus_lr_ratio = 1;
};

void bind(espalier::Schema<LoraParams>& s) {
  bind_targets(s);
  s.field("r", &LoraParams::r).sizes().range(1, 65536).doc("Rank").source("Hugging Face PEFT");
  s.field("lora_alpha", &LoraParams::lora_alpha)
      .above(0)
      .max(1e6)
      .doc("The product is scaled by lora_alpha / r")
      .source("Hugging Face PEFT");
  s.field("lora_dropout", &LoraParams::lora_dropout)
      .min(0)
      .below(1)
      .doc("Share of what enters A that is dropped in training");
  s.field("use_rslora", &LoraParams::use_rslora)
      .doc("Scale by lora_alpha / sqrt(r) instead, as CLIP-LoRA does as well")
      .source("Kalajdzievski 2023");
  s.field("use_dora", &LoraParams::use_dora)
      .doc("Train the lengths of the adapted weight's rows apart from their directions")
      .source("Liu et al. 2024");
  s.field("lora_bias", &LoraParams::lora_bias).doc("Give B a bias");
  bind_bias(s, "lora_only");
  s.field("init_lora_weights", &LoraParams::init_lora_weights)
      .choices({"kaiming", "gaussian", "pissa", "olora"})
      .doc("Start of A and B; their product is 0 for all")
      .source("kaiming: Hu et al. 2021; pissa: Meng et al. 2024; olora: Buyukakyuz 2024");
  s.field("rank_pattern", &LoraParams::rank_pattern)
      .doc("Ranks of some modules, as MODULE=RANK; MODULE may be a regular expression");
  s.field("alpha_pattern", &LoraParams::alpha_pattern)
      .doc("lora_alpha of some modules, as MODULE=ALPHA");
  s.field("loraplus_lr_ratio", &LoraParams::loraplus_lr_ratio)
      .min(1)
      .max(1e4)
      .doc("Learning rate of B over that of A; the paper takes 16")
      .source("Hayou et al. 2024");
  s.check("not lora_bias or not use_dora", "lora_bias and use_dora exclude each other");
  s.check("not (init_lora_weights in ['pissa', 'olora']) or not use_dora",
          "use_dora starts from a product that is 0, which pissa and olora have not");
  s.paper({{"lr", 2e-4},
           {"weight_decay", 0.01},
           {"batch_size", 32},
           {"schedule", "cosine"},
           {"warmup", 0}},
          "Zanella and Ben Ayed 2024, few-shot CLIP, for 500 updates a shot");
}

class Lora final : public espalier::LinearMethod {
 public:
  using Params = LoraParams;
  Lora(const Params& params, const espalier::RunContext&)
      : LinearMethod(params, params.bias),
        params_(params),
        ranks_(params.rank_pattern, static_cast<double>(params.r), "rank_pattern"),
        alphas_(params.alpha_pattern, params.lora_alpha, "alpha_pattern") {}

  [[nodiscard]] espalier::Json adapter_config() const override;
  [[nodiscard]] std::vector<Parameters::Entry> adapter_tensors(
      std::vector<Parameters::Entry> parameters) const override;

 private:
  std::shared_ptr<espalier::MapChange> change(Site& site, Parameters& parameters,
                                              espalier::Random& random) override;

  [[nodiscard]] double scale_of(const Site& site, std::int64_t rank) const {
    const auto r = static_cast<double>(rank);
    return alphas_.of(site.name) / (params_.use_rslora ? std::sqrt(r) : r);
  }
  [[nodiscard]] Factors start(const Site& site, std::int64_t rank, double scale,
                              espalier::Random& random) const;
  [[nodiscard]] bool factorised() const {
    return params_.init_lora_weights == "pissa" || params_.init_lora_weights == "olora";
  }

  Params params_;
  espalier::ModulePattern ranks_;
  espalier::ModulePattern alphas_;
  std::map<std::string, Factors> starts_;  // of maps that start from the weight's own factors
};

Factors Lora::start(const Site& site, std::int64_t rank, double scale,
                    espalier::Random& random) const {
  const at::Tensor weight = espalier::matrix_of(site);
  if (params_.init_lora_weights == "pissa") {
    const auto [u, s, v] = at::linalg_svd(weight, /*full_matrices=*/false);
    const at::Tensor root = at::sqrt(s.slice(0, 0, rank) / scale);
    return {v.slice(0, 0, rank) * root.unsqueeze(1), u.slice(1, 0, rank) * root};
  }
  if (params_.init_lora_weights == "olora") {
    const auto [q, r] = at::linalg_qr(weight);
    return {r.slice(0, 0, rank), q.slice(1, 0, rank)};
  }
  const std::int64_t sizes[] = {rank, weight.size(1)};
  const bool gaussian = params_.init_lora_weights == "gaussian";
  const at::Tensor a = gaussian
                           ? espalier::normal_init(sizes, 1.0 / static_cast<double>(rank), random)
                           : espalier::linear_init(sizes, random);
  return {a, at::zeros({weight.size(0), rank}, at::kFloat)};
}

std::shared_ptr<espalier::MapChange> Lora::change(Site& site, Parameters& parameters,
                                                  espalier::Random& random) {
  const std::int64_t rank = rank_of(ranks_, "r", site);
  const double scale = scale_of(site, rank);
  const Factors first = start(site, rank, scale, random);
  std::vector<std::int64_t> a_sizes = site.weight.sizes().vec();
  a_sizes[0] = rank;
  std::vector<std::int64_t> b_sizes(a_sizes.size(), 1);
  b_sizes[0] = site.weight.size(0);
  b_sizes[1] = rank;
  const espalier::ParameterRates faster{.lr = params_.loraplus_lr_ratio};
  const Factors factors{
      parameters.add(site.name + ".lora_A.weight", first.a.reshape(a_sizes)),
      parameters.add(site.name + ".lora_B.weight", first.b.reshape(b_sizes), faster)};
  at::Tensor b_bias;
  if (params_.lora_bias) {
    b_bias =
        parameters.add(site.name + ".lora_B.bias", at::zeros({b_sizes[0]}, at::kFloat), faster);
  }
  LowRank low({site.name, params_.lora_dropout}, factors, b_bias, scale);
  if (factorised()) {
    const at::Device device = factors.a.device();
    starts_[site.name] = {first.a.to(device).contiguous(), first.b.to(device).contiguous()};
    return std::make_shared<espalier::LowRankDifference>(std::move(low), starts_[site.name]);
  }
  if (!params_.use_dora) return std::make_shared<LowRank>(std::move(low));
  const at::Tensor weight = espalier::matrix_of(site);
  const at::Tensor magnitude =
      parameters.add(site.name + ".lora_magnitude_vector", weight.norm(2, 1), faster);
  return std::make_shared<espalier::Dora>(std::move(low), magnitude, weight, site.bias);
}

// PEFT's own conversion: the start's factors beside the trained ones, one with its sign turned.
std::vector<Parameters::Entry> Lora::adapter_tensors(
    std::vector<Parameters::Entry> parameters) const {
  for (auto& [name, tensor] : parameters) {
    for (const auto& [site, start] : starts_) {
      if (name == site + ".lora_A.weight") tensor = at::cat({tensor, start.a.view_as(tensor)}, 0);
      if (name == site + ".lora_B.weight") tensor = at::cat({tensor, -start.b.view_as(tensor)}, 1);
    }
  }
  return parameters;
}

espalier::Json Lora::adapter_config() const {
  const double widened = factorised() ? 2 : 1;
  const double alpha = factorised() ? (params_.use_rslora ? std::sqrt(2.0) : 2.0) : 1;
  espalier::Json config = config_of("LORA");
  config["r"] = static_cast<std::int64_t>(widened) * params_.r;
  config["lora_alpha"] = espalier::number(alpha * params_.lora_alpha);
  config["lora_dropout"] = params_.lora_dropout;
  config["use_rslora"] = params_.use_rslora;
  config["use_dora"] = params_.use_dora;
  config["lora_bias"] = params_.lora_bias;
  config["fan_in_fan_out"] = false;
  config["init_lora_weights"] = true;
  config["rank_pattern"] = espalier::pattern_json(ranks_, widened);
  config["alpha_pattern"] = espalier::pattern_json(alphas_, alpha);
  return config;
}

}  // namespace

ESPALIER_COMPONENT(peft, "lora", 1, Lora,
                   "A low rank beside linear maps: LoRA, rsLoRA, DoRA, LoRA+, PiSSA, OLoRA",
                   "needs_sites on_linear identity_at_init mergeable")
