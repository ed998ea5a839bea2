// PSOFT (Wu et al. 2025): the r strongest directions of a weight are turned among themselves and
// stretched.
//   W' = W + V S (diag(b) R diag(a) - I) U^T, W ~ V S U^T of rank r, R = (I + Q) (I - Q)^-1 of a
//   trained skew-symmetric Q
// PEFT scales V S by r / psoft_alpha and the change by psoft_alpha / r, so psoft_alpha is nothing.
#include <ATen/TensorOperators.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/linalg_svd.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <espalier/peft/linear_method.hpp>
#include <espalier/peft/orthogonal.hpp>
#include <espalier/plugin/component.hpp>
#include <tuple>

namespace {

using espalier::Factors;
using espalier::Site;

struct PsoftParams : espalier::TargetParams {
  PsoftParams() { target_modules = {"q", "v"}; }
  std::int64_t r = 32;
  double psoft_dropout = 0;
  std::string ab_svd_init = "psoft_init";
  bool psoft_orth = true;
  bool psoft_mag_b = true;
  bool psoft_mag_a = true;
  bool use_cayley_neumann = false;
  std::int64_t num_cayley_neumann_terms = 5;
  double cayley_neumann_eps = 0;
};

void bind(espalier::Schema<PsoftParams>& s) {
  bind_targets(s);
  s.field("r", &PsoftParams::r)
      .sizes()
      .range(2, 65536)
      .doc("Directions of a weight that are turned")
      .source("Hugging Face PEFT");
  s.field("psoft_dropout", &PsoftParams::psoft_dropout)
      .min(0)
      .below(1)
      .doc("Share of what enters the change that is dropped in training");
  s.field("ab_svd_init", &PsoftParams::ab_svd_init)
      .choices({"psoft_init", "pissa_init"})
      .doc("Singular values behind the rotation alone, or their roots on both sides of it")
      .source("Hugging Face PEFT");
  s.field("psoft_orth", &PsoftParams::psoft_orth)
      .doc("Rotate, instead of any trained matrix")
      .source("Hugging Face PEFT");
  s.field("psoft_mag_b", &PsoftParams::psoft_mag_b)
      .doc("Train stretches behind the rotation")
      .source("Hugging Face PEFT");
  s.field("psoft_mag_a", &PsoftParams::psoft_mag_a)
      .doc("Train stretches before the rotation")
      .source("Hugging Face PEFT");
  s.field("use_cayley_neumann", &PsoftParams::use_cayley_neumann)
      .doc("Take a series instead of the inverse")
      .only_if("psoft_orth");
  s.field("num_cayley_neumann_terms", &PsoftParams::num_cayley_neumann_terms)
      .range(2, 64)
      .doc("Terms of the series")
      .only_if("psoft_orth and use_cayley_neumann")
      .source("Hugging Face PEFT");
  s.field("cayley_neumann_eps", &PsoftParams::cayley_neumann_eps)
      .range(0, 1)
      .doc("Largest norm of Q in the series, 0 for any")
      .only_if("psoft_orth and use_cayley_neumann");
  compared_by_peft(s);
}

// What is trained of one map: undefined where it is not.
struct Turn {
  at::Tensor core;  // [r (r - 1) / 2] above the diagonal of Q, or [r, r]
  at::Tensor b;
  at::Tensor a;
};

class Turned final : public espalier::AddedProduct {
 public:
  Turned(const PsoftParams& params, const Site& site, Factors principal, Turn turn)
      : AddedProduct({site.name, params.psoft_dropout}),
        params_(params),
        principal_(std::move(principal)),
        turn_(std::move(turn)) {}

  [[nodiscard]] Factors factors() const override {
    const at::Tensor now = matrix();
    const at::Tensor change = now - at::eye(now.size(0), now.options());
    return {principal_.a, at::matmul(principal_.b, change)};
  }

 private:
  [[nodiscard]] at::Tensor matrix() const {
    at::Tensor r = params_.psoft_orth ? rotation() : turn_.core;
    if (turn_.b.defined()) r = turn_.b.unsqueeze(1) * r;
    return turn_.a.defined() ? r * turn_.a.unsqueeze(0) : r;
  }
  [[nodiscard]] at::Tensor rotation() const {
    const at::Tensor q = espalier::skew_symmetric(turn_.core.unsqueeze(0), params_.r);
    if (!params_.use_cayley_neumann) return espalier::cayley(-q).squeeze(0);
    return espalier::cayley_neumann(bounded(q), params_.num_cayley_neumann_terms).squeeze(0);
  }
  [[nodiscard]] at::Tensor bounded(const at::Tensor& q) const {
    const double most = params_.cayley_neumann_eps;
    if (most == 0) return q;
    const at::Tensor length = q.norm();
    return at::where(length > most, q * (most / (length + 1e-12)), q);
  }

  PsoftParams params_;
  Factors principal_;
  Turn turn_;
};

class Psoft final : public espalier::LinearMethod {
 public:
  using Params = PsoftParams;
  Psoft(const Params& params, const espalier::RunContext&)
      : LinearMethod(params), params_(params) {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = config_of("PSOFT");
    config["r"] = params_.r;
    config["psoft_dropout"] = params_.psoft_dropout;
    config["ab_svd_init"] = params_.ab_svd_init;
    config["psoft_svd"] = "full";
    config["psoft_orth"] = params_.psoft_orth;
    config["psoft_mag_b"] = params_.psoft_mag_b;
    config["psoft_mag_a"] = params_.psoft_mag_a;
    config["use_cayley_neumann"] = params_.use_cayley_neumann;
    config["num_cayley_neumann_terms"] = params_.num_cayley_neumann_terms;
    config["cayley_neumann_eps"] = nullptr;
    if (params_.cayley_neumann_eps > 0) config["cayley_neumann_eps"] = params_.cayley_neumann_eps;
    return config;
  }

 private:
  std::shared_ptr<espalier::MapChange> change(Site& site, espalier::Parameters& parameters,
                                              espalier::Random&) override {
    const std::int64_t r = params_.r;
    espalier::require_rank("r", r, site);
    const auto add = [&](const char* name, const at::Tensor& start) {
      return parameters.add(site.name + ".psoft_R." + name, start);
    };
    Turn turn;
    turn.core = add("weight", params_.psoft_orth ? at::zeros({r * (r - 1) / 2}, at::kFloat)
                                                 : at::eye(r, at::kFloat));
    if (params_.psoft_mag_b) turn.b = add("vector_b", at::ones({r}, at::kFloat));
    if (params_.psoft_mag_a) turn.a = add("vector_a", at::ones({r}, at::kFloat));
    return std::make_shared<Turned>(params_, site, principal(site), std::move(turn));
  }

  // The signs of singular vectors are free, and the rotation depends on them: they are those of
  // LAPACK's decomposition in float32, which is the one that PEFT takes and does not store.
  [[nodiscard]] Factors principal(const Site& site) const {
    const at::Tensor weight = matrix_of(site).cpu();
    const auto [v, s, u] = at::linalg_svd(weight.to(at::kDouble), /*full_matrices=*/false);
    const at::Tensor rough = std::get<2>(at::linalg_svd(weight, /*full_matrices=*/false));
    const at::Tensor signs = (u * rough).sum(1).sign().slice(0, 0, params_.r);
    const at::Tensor strengths = s.slice(0, 0, params_.r);
    const bool outside = params_.ab_svd_init == "psoft_init";
    const at::Tensor inner = outside ? signs : signs * strengths.sqrt();
    const at::Tensor outer = signs * (outside ? strengths : strengths.sqrt());
    const auto kept = [&](const at::Tensor& factor) {
      return factor.to(at::kFloat).to(site.weight.device());
    };
    return {kept(u.slice(0, 0, params_.r) * inner.unsqueeze(1)),
            kept(v.slice(1, 0, params_.r) * outer)};
  }

  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "psoft", 1, Psoft, "Turns the strongest directions of a weight (Wu 2025)",
                   "needs_sites on_linear identity_at_init mergeable")
