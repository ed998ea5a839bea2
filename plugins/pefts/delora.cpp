// DeLoRA (Bini, Girrbach and Akata 2025): a low rank of a trained strength, whatever the lengths of
// its factors are.
//   W' = W + B diag(lambda / (r |A_i| |B_i|)) A diag(w), w_j the length of column j of W
#include <ATen/TensorOperators.h>
#include <ATen/ops/clamp.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <espalier/peft/adapter.hpp>
#include <espalier/peft/linear_method.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::Factors;
using espalier::Parameters;
using espalier::Site;

constexpr double shortest = 1e-4;

struct DeloraParams : espalier::TargetParams {
  DeloraParams() { target_modules = {"q", "v"}; }
  std::int64_t r = 8;
  double delora_lambda = 15;
  double module_dropout = 0;
  std::vector<std::string> rank_pattern;
  std::vector<std::string> lambda_pattern;
  std::string bias = "none";
};

void bind(espalier::Schema<DeloraParams>& s) {
  bind_targets(s);
  s.field("r", &DeloraParams::r).sizes().range(1, 65536).doc("Rank").source("Hugging Face PEFT");
  s.field("delora_lambda", &DeloraParams::delora_lambda)
      .above(0)
      .max(1e6)
      .doc("Start of the strength")
      .source("Hugging Face PEFT");
  s.field("module_dropout", &DeloraParams::module_dropout)
      .min(0)
      .below(1)
      .doc("Share of what enters A that is dropped in training");
  s.field("rank_pattern", &DeloraParams::rank_pattern)
      .doc("Ranks of some modules, as MODULE=RANK; MODULE may be a regular expression");
  s.field("lambda_pattern", &DeloraParams::lambda_pattern)
      .doc("delora_lambda of some modules, as MODULE=LAMBDA");
  bind_bias(s, "delora_only");
  compared_by_peft(s);
}

class DeloraChange final : public espalier::AddedProduct {
 public:
  // `columns` [in]: the lengths of the weight's columns.
  DeloraChange(espalier::InputDropout dropout, Factors factors, at::Tensor strength,
               at::Tensor columns)
      : AddedProduct(std::move(dropout)),
        factors_(std::move(factors)),
        strength_(std::move(strength)),
        columns_(std::move(columns)) {}

  [[nodiscard]] Factors factors() const override {
    const at::Tensor a = at::clamp(factors_.a.norm(2, 1), shortest);
    const at::Tensor b = at::clamp(factors_.b.norm(2, 0), shortest);
    const double rank = static_cast<double>(factors_.a.size(0));
    return {factors_.a * columns_, factors_.b * (strength_ / rank / (a * b))};
  }

 private:
  Factors factors_;
  at::Tensor strength_;
  at::Tensor columns_;
};

class Delora final : public espalier::LinearMethod {
 public:
  using Params = DeloraParams;
  Delora(const Params& params, const espalier::RunContext&)
      : LinearMethod(params, params.bias),
        params_(params),
        ranks_(params.rank_pattern, static_cast<double>(params.r), "rank_pattern"),
        strengths_(params.lambda_pattern, params.delora_lambda, "lambda_pattern") {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = config_of("DELORA");
    config["r"] = params_.r;
    config["delora_lambda"] = espalier::number(params_.delora_lambda);
    config["module_dropout"] = params_.module_dropout;
    config["rank_pattern"] = espalier::pattern_json(ranks_, 1);
    config["lambda_pattern"] = espalier::pattern_json(strengths_, 1);
    return config;
  }
  [[nodiscard]] std::vector<Parameters::Entry> buffers() const override { return columns_; }

 private:
  std::shared_ptr<espalier::MapChange> change(Site& site, Parameters& parameters,
                                              espalier::Random& random) override {
    const std::int64_t r = rank_of(ranks_, "r", site);
    const std::int64_t in = inputs_of(site), out = outputs_of(site);
    const at::Tensor a =
        parameters.add(site.name + ".delora_A", espalier::linear_init({r, in}, random));
    const at::Tensor b = parameters.add(site.name + ".delora_B", at::zeros({out, r}, at::kFloat));
    const at::Tensor strength = parameters.add(site.name + ".delora_lambda",
                                               at::full({1}, strengths_.of(site.name), at::kFloat));
    columns_.emplace_back(site.name + ".delora_w_norm", matrix_of(site).norm(2, 0));
    return std::make_shared<DeloraChange>(espalier::InputDropout{site.name, params_.module_dropout},
                                          Factors{a, b}, strength, columns_.back().second);
  }

  Params params_;
  espalier::ModulePattern ranks_;
  espalier::ModulePattern strengths_;
  std::vector<Parameters::Entry> columns_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "delora", 1, Delora, "A low rank of trained strength (Bini 2025)",
                   "needs_sites on_linear identity_at_init mergeable")
