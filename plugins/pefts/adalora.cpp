// AdaLoRA (Zhang et al. 2023): a low rank beside each map in the form of a singular value
// decomposition, whose ranks are taken away where they are worth least.
//   y <- y + lora_alpha / (init_r + 1e-5) B diag(E) A drop(x)
// A and B are kept near orthogonal by a penalty: the mean of |A A^T - I| and |B^T B - I| over all
// maps, times orth_reg_weight.
#include <ATen/TensorOperators.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/norm.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <espalier/peft/adapter.hpp>
#include <espalier/peft/linear_method.hpp>
#include <espalier/plugin/component.hpp>

#include "pefts/adalora/rank_allocator.hpp"

namespace {

using espalier::Factors;
using espalier::Parameters;
using espalier::Site;
using espalier::Triplets;

struct AdaLoraParams : espalier::TargetParams {
  AdaLoraParams() { target_modules = {"q", "v"}; }
  std::int64_t init_r = 12;
  std::int64_t target_r = 8;
  std::int64_t tinit = 0;
  std::int64_t tfinal = 0;
  std::int64_t deltaT = 1;
  double beta1 = 0.85;
  double beta2 = 0.85;
  double orth_reg_weight = 0.5;
  std::int64_t total_step = 0;
  double lora_alpha = 8;
  double lora_dropout = 0;
  std::string bias = "none";
  std::vector<std::string> rank_pattern;
};

void bind_schedule(espalier::Schema<AdaLoraParams>& s) {
  s.field("tinit", &AdaLoraParams::tinit)
      .min(0)
      .doc("Updates before the first rank is taken")
      .source("Hugging Face PEFT");
  s.field("tfinal", &AdaLoraParams::tfinal)
      .min(0)
      .doc("Updates after the last rank is taken")
      .source("Hugging Face PEFT");
  s.field("deltaT", &AdaLoraParams::deltaT)
      .min(1)
      .doc("Updates from one choice of ranks to the next")
      .source("Hugging Face PEFT");
  s.field("total_step", &AdaLoraParams::total_step)
      .min(0)
      .doc("Updates that the schedule is for; 0 for as many as the training has");
}

void bind(espalier::Schema<AdaLoraParams>& s) {
  bind_targets(s);
  s.field("init_r", &AdaLoraParams::init_r)
      .sizes()
      .range(1, 65536)
      .doc("Rank of each map at the start")
      .source("Hugging Face PEFT");
  s.field("target_r", &AdaLoraParams::target_r)
      .range(1, 65536)
      .doc("Rank of a map in the end, on average")
      .source("Hugging Face PEFT");
  bind_schedule(s);
  s.field("beta1", &AdaLoraParams::beta1)
      .above(0)
      .below(1)
      .doc("Smoothing of what a rank is worth")
      .source("Zhang et al. 2023");
  s.field("beta2", &AdaLoraParams::beta2)
      .above(0)
      .below(1)
      .doc("Smoothing of how much that varies")
      .source("Zhang et al. 2023");
  s.field("orth_reg_weight", &AdaLoraParams::orth_reg_weight)
      .range(0, 1e6)
      .doc("Weight of the penalty on factors that are not orthogonal")
      .source("Hugging Face PEFT");
  s.field("lora_alpha", &AdaLoraParams::lora_alpha)
      .above(0)
      .max(1e6)
      .doc("The product is scaled by lora_alpha / init_r")
      .source("Hugging Face PEFT");
  s.field("lora_dropout", &AdaLoraParams::lora_dropout)
      .min(0)
      .below(1)
      .doc("Share of what enters A that is dropped in training");
  bind_bias(s, "lora_only");
  s.field("rank_pattern", &AdaLoraParams::rank_pattern)
      .doc("Ranks that some modules have left, as MODULE=RANK; MODULE may be a regular expression");
  s.check("total_step == 0 or tinit + tfinal < total_step",
          "tinit and tfinal leave no step of total_step to take ranks in");
  s.check("target_r <= init_r", "target_r is more than init_r, and ranks are only taken away");
  compared_by_peft(s);
}

class AdaLoraChange final : public espalier::AddedProduct {
 public:
  AdaLoraChange(espalier::InputDropout dropout, Triplets triplets, double scale)
      : AddedProduct(std::move(dropout)), triplets_(std::move(triplets)), scale_(scale) {}

  [[nodiscard]] Factors factors() const override {
    return {triplets_.a * triplets_.e, triplets_.b * scale_};
  }

 private:
  Triplets triplets_;
  double scale_;
};

class AdaLora final : public espalier::LinearMethod {
 public:
  using Params = AdaLoraParams;
  AdaLora(const Params& params, const espalier::RunContext&)
      : LinearMethod(params, params.bias),
        params_(params),
        ranks_(params.rank_pattern, static_cast<double>(params.init_r), "rank_pattern", 0),
        allocator_({.target_r = params.target_r,
                    .tinit = params.tinit,
                    .tfinal = params.tfinal,
                    .delta_t = params.deltaT,
                    .total_step = params.total_step},
                   params.beta1, params.beta2) {}

  [[nodiscard]] at::Tensor penalty() const override;
  void updated(std::int64_t step, std::int64_t steps) override { allocator_.updated(step, steps); }
  [[nodiscard]] std::vector<Parameters::Entry> memory() const override {
    return allocator_.memory();
  }
  [[nodiscard]] espalier::Json adapter_config() const override;

 private:
  std::shared_ptr<espalier::MapChange> change(Site& site, Parameters& parameters,
                                              espalier::Random& random) override;

  Params params_;
  espalier::ModulePattern ranks_;
  espalier::RankAllocator allocator_;
  std::vector<Triplets> all_;
};

std::shared_ptr<espalier::MapChange> AdaLora::change(Site& site, Parameters& parameters,
                                                     espalier::Random& random) {
  espalier::require_rank("init_r", params_.init_r, site);
  const auto rank = static_cast<std::int64_t>(ranks_.of(site.name));
  const auto add = [&](const std::string& name, const at::Tensor& start) {
    return parameters.add(site.name + name, start);
  };
  const at::Tensor a = espalier::normal_init({rank, inputs_of(site)}, 0.02, random);
  const at::Tensor b = espalier::normal_init({outputs_of(site), rank}, 0.02, random);
  all_.push_back({.site = site.name,
                  .a = add(".lora_A", a),
                  .e = add(".lora_E", at::zeros({rank, 1}, at::kFloat)),
                  .b = add(".lora_B", b)});
  allocator_.add(all_.back());
  const double scale = params_.lora_alpha / (static_cast<double>(params_.init_r) + 1e-5);
  return std::make_shared<AdaLoraChange>(espalier::InputDropout{site.name, params_.lora_dropout},
                                         all_.back(), scale);
}

at::Tensor AdaLora::penalty() const {
  if (params_.orth_reg_weight == 0 || all_.empty()) return {};
  at::Tensor sum = at::zeros({}, all_.front().a.options());
  for (const Triplets& map : all_) {
    for (const at::Tensor& rows : {map.a, map.b.t()}) {
      const at::Tensor products = at::matmul(rows, rows.t());
      sum = sum + at::norm(products - at::eye(products.size(0), products.options()));
    }
  }
  return sum * (params_.orth_reg_weight / static_cast<double>(2 * all_.size()));
}

// Ranks that were taken stay in the file, with 0 in E. PEFT refuses a schedule without steps.
espalier::Json AdaLora::adapter_config() const {
  espalier::Json config = config_of("ADALORA");
  config["init_r"] = params_.init_r;
  config["target_r"] = params_.target_r;
  config["tinit"] = params_.tinit;
  config["tfinal"] = params_.tfinal;
  config["deltaT"] = params_.deltaT;
  config["beta1"] = params_.beta1;
  config["beta2"] = params_.beta2;
  config["orth_reg_weight"] = params_.orth_reg_weight;
  config["total_step"] = std::max(params_.total_step, params_.tinit + params_.tfinal + 1);
  config["lora_alpha"] = espalier::number(params_.lora_alpha);
  config["lora_dropout"] = params_.lora_dropout;
  config["rank_pattern"] = nullptr;
  return config;
}

}  // namespace

ESPALIER_COMPONENT(
    peft, "adalora", 1, AdaLora,
    "A low rank beside linear maps that is given where it is worth most (Zhang 2023)",
    "needs_sites on_linear identity_at_init mergeable")
