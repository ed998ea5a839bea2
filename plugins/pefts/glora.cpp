// GLoRA (Chavan et al. 2023): weight and bias of a map are scaled and shifted, by low ranks,
// vectors or numbers.
//   W' = W + W * A + B,  b' = b + b * D + E + W C
#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>

#include <espalier/peft/linear_method.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::LinearMap;
using espalier::Mode;
using espalier::Parameters;
using espalier::Site;

struct GloraParams : espalier::TargetParams {
  GloraParams() { target_modules = {"q", "v"}; }
  std::int64_t r = 8;
  std::string config_A_B = "lora";
  std::string config_C = "lora";
  std::string config_D_E = "constant";
  std::string bias = "none";
};

void bind(espalier::Schema<GloraParams>& s) {
  bind_targets(s);
  s.field("r", &GloraParams::r)
      .sizes()
      .range(1, 65536)
      .doc("Rank of what is a low rank")
      .only_if("config_A_B == 'lora' or config_C == 'lora'")
      .source("Hugging Face PEFT");
  s.field("config_A_B", &GloraParams::config_A_B)
      .choices({"lora", "vector", "constant", "none"})
      .doc(
          "What scales and shifts the weight: a low rank, a number an output, a number, or nothing")
      .source("Hugging Face PEFT");
  s.field("config_C", &GloraParams::config_C)
      .choices({"lora", "vector", "none"})
      .doc("What the weight makes a shift of the bias of")
      .source("Hugging Face PEFT");
  s.field("config_D_E", &GloraParams::config_D_E)
      .choices({"vector", "constant", "none"})
      .doc("What scales and shifts the bias")
      .source("Hugging Face PEFT");
  bind_bias(s, "glora_only");
  s.check("config_A_B != 'none' or config_C != 'none' or config_D_E != 'none'",
          "config_A_B, config_C and config_D_E leave nothing to train");
  compared_by_peft(s);
}

// A term of the formula, which starts at 0: a product, a tensor, or nothing.
class Term {
 public:
  Term() = default;
  explicit Term(at::Tensor whole) : left_(std::move(whole)) {}
  Term(at::Tensor left, at::Tensor right) : left_(std::move(left)), right_(std::move(right)) {}

  [[nodiscard]] bool there() const { return left_.defined(); }
  [[nodiscard]] at::Tensor now() const {
    return right_.defined() ? at::matmul(left_, right_) : left_;
  }

 private:
  at::Tensor left_;
  at::Tensor right_;
};

struct Terms {
  Term a, b, c, d, e;
};

class GloraChange final : public espalier::OutputChange {
 public:
  // The frozen weight in float32, and the bias, which may be undefined.
  GloraChange(LinearMap frozen, Terms terms)
      : frozen_(std::move(frozen)), terms_(std::move(terms)) {}

  [[nodiscard]] at::Tensor output(const at::Tensor& x, const at::Tensor& y,
                                  const Mode&) const override {
    at::Tensor sum = y;
    const at::Tensor weight = added_weight(frozen_.weight);
    if (weight.defined()) sum = sum + at::linear(x, weight.to(x.scalar_type()));
    const at::Tensor bias = added_bias(frozen_);
    return bias.defined() ? sum + bias.to(y.scalar_type()) : sum;
  }
  [[nodiscard]] LinearMap folded(const LinearMap& frozen) const override {
    const at::Tensor weight = added_weight(frozen.weight), bias = added_bias(frozen);
    return {weight.defined() ? frozen.weight + weight : frozen.weight,
            bias.defined() ? frozen.bias + bias : frozen.bias};
  }

 private:
  [[nodiscard]] at::Tensor added_weight(const at::Tensor& weight) const {
    if (!terms_.a.there()) return {};
    return weight * terms_.a.now() + terms_.b.now();
  }
  [[nodiscard]] at::Tensor added_bias(const LinearMap& frozen) const {
    at::Tensor sum;
    if (terms_.c.there()) sum = at::matmul(frozen.weight, terms_.c.now()).squeeze(1);
    if (!terms_.d.there()) return sum;
    const at::Tensor own = frozen.bias * terms_.d.now() + terms_.e.now();
    return sum.defined() ? sum + own : own;
  }

  LinearMap frozen_;
  Terms terms_;
};

class Glora final : public espalier::LinearMethod {
 public:
  using Params = GloraParams;
  Glora(const Params& params, const espalier::RunContext&)
      : LinearMethod(params, params.bias), params_(params) {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = config_of("GLORA");
    config["r"] = params_.r;
    config["config_A_B"] = params_.config_A_B;
    config["config_C"] = params_.config_C;
    config["config_D_E"] = params_.config_D_E;
    return config;
  }
  [[nodiscard]] std::vector<Parameters::Entry> buffers() const override { return zeros_; }

 private:
  std::shared_ptr<espalier::MapChange> change(Site& site, Parameters& parameters,
                                              espalier::Random& random) override {
    if (params_.config_A_B == "lora") espalier::require_rank("r", params_.r, site);
    const std::int64_t in = inputs_of(site), out = outputs_of(site);
    const auto term = [&](const char* name, const std::string& form,
                          const std::vector<std::int64_t>& sizes) {
      return make_term(site.name + ".glora_" + name, form, sizes, parameters, random);
    };
    const auto of_bias = [&](const std::string& form) {
      return site.bias.defined() ? form : "none";
    };
    Terms terms;
    terms.a = term("A", params_.config_A_B, {out, in});
    terms.b = term("B", params_.config_A_B, {out, in});
    terms.c = term("C", of_bias(params_.config_C), {in, 1});
    terms.d = term("D", of_bias(params_.config_D_E), {out});
    terms.e = term("E", of_bias(params_.config_D_E), {out});
    return std::make_shared<GloraChange>(LinearMap{matrix_of(site), site.bias}, std::move(terms));
  }

  [[nodiscard]] Term make_term(const std::string& name, const std::string& form,
                               std::vector<std::int64_t> sizes, Parameters& parameters,
                               espalier::Random& random) {
    const auto add = [&](const char* part, const at::Tensor& start) {
      return parameters.add(name + part, start);
    };
    if (form == "constant") return Term(add(".X", at::zeros({1}, at::kFloat)));
    if (form == "lora") {
      const at::Tensor left = add(".Xd", at::zeros({sizes[0], params_.r}, at::kFloat));
      return Term(left, add(".Xu", espalier::linear_init({params_.r, sizes[1]}, random)));
    }
    if (form == "vector") {
      if (sizes.size() == 2) sizes[1] = 1;
      return Term(add(".X", at::zeros(sizes, at::kFloat)));
    }
    zeros_.emplace_back(name + ".zeros", at::zeros(sizes, at::kFloat).to(parameters.device()));
    return Term();
  }

  Params params_;
  std::vector<Parameters::Entry> zeros_;  // of terms that are not there, as PEFT stores them
};

}  // namespace

ESPALIER_COMPONENT(peft, "glora", 1, Glora,
                   "Scales and shifts weights and biases of linear maps (Chavan 2023)",
                   "needs_sites on_linear identity_at_init mergeable")
