// HiRA (Huang et al. 2025): a low rank multiplies the weight element by element, which gives a
// change of high rank.
//   W' = W + W * (B A)
#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>

#include <espalier/peft/adapter.hpp>
#include <espalier/peft/linear_method.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::Factors;
using espalier::Site;

struct HiraParams : espalier::TargetParams {
  HiraParams() { target_modules = {"q", "v"}; }
  std::int64_t r = 32;
  double hira_dropout = 0;
  std::vector<std::string> rank_pattern;
};

void bind(espalier::Schema<HiraParams>& s) {
  bind_targets(s);
  s.field("r", &HiraParams::r).sizes().range(1, 65536).doc("Rank").source("Hugging Face PEFT");
  s.field("hira_dropout", &HiraParams::hira_dropout)
      .min(0)
      .below(1)
      .doc("Share of what enters the change that is dropped in training");
  s.field("rank_pattern", &HiraParams::rank_pattern)
      .doc("Ranks of some modules, as MODULE=RANK; MODULE may be a regular expression");
  compared_by_peft(s, {{"lr", 4.5e-3}, {"weight_decay", 0}});
}

class HiraChange final : public espalier::AddedWeight {
 public:
  HiraChange(espalier::InputDropout dropout, at::Tensor weight, Factors factors)
      : AddedWeight(std::move(dropout)), weight_(std::move(weight)), factors_(std::move(factors)) {}

  [[nodiscard]] at::Tensor delta() const override {
    return weight_ * at::matmul(factors_.b, factors_.a);
  }

 private:
  at::Tensor weight_;
  Factors factors_;
};

class Hira final : public espalier::LinearMethod {
 public:
  using Params = HiraParams;
  Hira(const Params& params, const espalier::RunContext&)
      : LinearMethod(params),
        params_(params),
        ranks_(params.rank_pattern, static_cast<double>(params.r), "rank_pattern") {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = config_of("HIRA");
    config["r"] = params_.r;
    config["hira_dropout"] = params_.hira_dropout;
    config["rank_pattern"] = espalier::pattern_json(ranks_, 1);
    return config;
  }

 private:
  std::shared_ptr<espalier::MapChange> change(Site& site, espalier::Parameters& parameters,
                                              espalier::Random& random) override {
    const std::int64_t r = rank_of(ranks_, "r", site);
    const at::Tensor a =
        parameters.add(site.name + ".hira_A", espalier::linear_init({r, inputs_of(site)}, random));
    const at::Tensor b =
        parameters.add(site.name + ".hira_B", at::zeros({outputs_of(site), r}, at::kFloat));
    return std::make_shared<HiraChange>(espalier::InputDropout{site.name, params_.hira_dropout},
                                        matrix_of(site), Factors{a, b});
  }

  Params params_;
  espalier::ModulePattern ranks_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "hira", 1, Hira, "A low rank times the weight (Huang 2025)",
                   "needs_sites on_linear identity_at_init mergeable")
