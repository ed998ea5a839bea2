// Super-Tuning: the entries of each weight that are largest, or smallest, are trained, and with r a
// low rank beside them, which is called Supra (as Hugging Face PEFT 0.21 has them).
//   W' = W + s at the chosen entries (+ lora_alpha / r B A)
#include <ATen/TensorOperators.h>
#include <ATen/ops/topk.h>
#include <ATen/ops/zeros.h>

#include <espalier/peft/adapter.hpp>
#include <espalier/peft/sparse_weight.hpp>
#include <espalier/plugin/component.hpp>
#include <tuple>

namespace {

using espalier::Factors;
using espalier::LinearMap;
using espalier::Mode;
using espalier::Parameters;
using espalier::Site;

struct SuperParams : espalier::TargetParams {
  SuperParams() { target_modules = {"q", "v"}; }
  double sparsity = 0.99;
  bool select_top = true;
  std::int64_t r = 0;
  double lora_alpha = 0;
  double lora_dropout = 0;
  bool save_precomputed_indices = true;
};

void bind(espalier::Schema<SuperParams>& s) {
  bind_targets(s);
  s.field("sparsity", &SuperParams::sparsity)
      .min(0)
      .below(1)
      .doc("Share of the entries that stay as they are")
      .source("Hugging Face PEFT");
  s.field("select_top", &SuperParams::select_top)
      .doc("Train the largest entries, instead of the smallest")
      .source("Hugging Face PEFT");
  s.field("r", &SuperParams::r).range(0, 65536).doc("Rank beside the entries, 0 for none");
  s.field("lora_alpha", &SuperParams::lora_alpha)
      .range(0, 1e6)
      .doc("The low rank is scaled by lora_alpha / r; 0 for twice r")
      .only_if("r > 0")
      .source("Hugging Face PEFT");
  s.field("lora_dropout", &SuperParams::lora_dropout)
      .min(0)
      .below(1)
      .doc("Share of what enters the low rank that is dropped in training")
      .only_if("r > 0");
  s.field("save_precomputed_indices", &SuperParams::save_precomputed_indices)
      .doc("Keep the places in the adapter, instead of finding them again in the weight");
  compared_by_peft(s);
}

class Entries final : public espalier::SparseWeight {
 public:
  // `flat` int32 [n], row * inputs + column.
  Entries(const Site& site, at::Tensor values, at::Tensor flat)
      : SparseWeight(site, std::move(values)), flat_(std::move(flat)) {}

 private:
  [[nodiscard]] at::Tensor places() const override { return flat_.to(at::kLong); }

  at::Tensor flat_;
};

class LowRankBeside final : public espalier::AddedProduct {
 public:
  LowRankBeside(espalier::InputDropout dropout, Factors factors, double scale)
      : AddedProduct(std::move(dropout)), factors_(std::move(factors)), scale_(scale) {}

  [[nodiscard]] Factors factors() const override { return {factors_.a, factors_.b * scale_}; }

 private:
  Factors factors_;
  double scale_;
};

class Supra final : public espalier::OutputChange {
 public:
  Supra(std::shared_ptr<Entries> entries, std::shared_ptr<LowRankBeside> low)
      : entries_(std::move(entries)), low_(std::move(low)) {}

  [[nodiscard]] at::Tensor output(const at::Tensor& x, const at::Tensor& y,
                                  const Mode& mode) const override {
    return low_->output(x, entries_->output(x, y, mode), mode);
  }
  [[nodiscard]] LinearMap folded(const LinearMap& frozen) const override {
    return low_->folded(entries_->folded(frozen));
  }

 private:
  std::shared_ptr<Entries> entries_;
  std::shared_ptr<LowRankBeside> low_;
};

class SuperTuning final : public espalier::LinearMethod {
 public:
  using Params = SuperParams;
  SuperTuning(const Params& params, const espalier::RunContext&)
      : LinearMethod(params), params_(params) {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = config_of("SUPERTUNING");
    config["sparsity"] = params_.sparsity;
    config["select_top"] = params_.select_top;
    config["r"] = nullptr;
    config["lora_alpha"] = nullptr;
    if (params_.r > 0) {
      config["r"] = params_.r;
      config["lora_alpha"] = espalier::number(alpha());
    }
    config["lora_dropout"] = params_.lora_dropout;
    config["save_precomputed_indices"] = params_.save_precomputed_indices;
    return config;
  }
  [[nodiscard]] std::vector<Parameters::Entry> buffers() const override {
    if (!params_.save_precomputed_indices) return {};
    return places_;
  }

 private:
  std::shared_ptr<espalier::MapChange> change(Site& site, Parameters& parameters,
                                              espalier::Random& random) override {
    const at::Tensor sizes = matrix_of(site).abs().flatten();
    const auto count =
        static_cast<std::int64_t>(static_cast<double>(sizes.numel()) * (1 - params_.sparsity));
    espalier::require_places("sparsity", count, site);
    const at::Tensor places =
        std::get<1>(at::topk(sizes, count, 0, /*largest=*/params_.select_top)).to(at::kInt);
    const at::Tensor values =
        parameters.add(site.name + ".supertuning_values", at::zeros({count}, at::kFloat));
    places_.emplace_back(site.name + ".supertuning_indices", places.to(values.device()));
    auto entries = std::make_shared<Entries>(site, values, places_.back().second);
    if (params_.r == 0) return entries;
    return std::make_shared<Supra>(std::move(entries), low_rank(site, parameters, random));
  }

  [[nodiscard]] std::shared_ptr<LowRankBeside> low_rank(const Site& site, Parameters& parameters,
                                                        espalier::Random& random) const {
    const std::int64_t r = params_.r;
    espalier::require_rank("r", r, site);
    const at::Tensor a = parameters.add(site.name + ".supertuning_lora_A.weight",
                                        espalier::linear_init({r, inputs_of(site)}, random));
    const at::Tensor b = parameters.add(site.name + ".supertuning_lora_B.weight",
                                        at::zeros({outputs_of(site), r}, at::kFloat));
    return std::make_shared<LowRankBeside>(espalier::InputDropout{site.name, params_.lora_dropout},
                                           Factors{a, b}, alpha() / static_cast<double>(r));
  }
  [[nodiscard]] double alpha() const {
    return params_.lora_alpha > 0 ? params_.lora_alpha : 2 * static_cast<double>(params_.r);
  }

  Params params_;
  std::vector<Parameters::Entry> places_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "supertuning", 1, SuperTuning,
                   "Trains the largest or smallest entries of linear maps (Super-Tuning 2026)",
                   "needs_sites on_linear identity_at_init mergeable")
