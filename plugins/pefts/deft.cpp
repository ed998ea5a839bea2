// DEFT (Kumar et al. 2025): what a weight gives along r trained directions is taken off, and
// something trained is put there instead. With para nothing is (PaRa, Chen et al. 2024).
//   W' = (I - Q P^T) W + s Q R,  s = alpha / r
// Q and P are the trained directions and their positive parts, or both an orthonormal basis of
// them.
#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_qr.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/relu.h>

#include <espalier/peft/adapter.hpp>
#include <espalier/peft/linear_method.hpp>
#include <espalier/plugin/component.hpp>
#include <utility>

namespace {

using espalier::LinearMap;
using espalier::Mode;
using espalier::Site;

constexpr double direction_deviation = 0.02;

struct DeftParams : espalier::TargetParams {
  DeftParams() { target_modules = {"q", "v"}; }
  std::int64_t r = 8;
  std::string decomposition_method = "relu";
  double alpha = 0;
  bool para = false;
  double deft_dropout = 0;
  std::string bias = "none";
};

void bind(espalier::Schema<DeftParams>& s) {
  bind_targets(s);
  s.field("r", &DeftParams::r)
      .sizes()
      .range(1, 65536)
      .doc("Directions of the outputs")
      .source("Hugging Face PEFT");
  s.field("decomposition_method", &DeftParams::decomposition_method)
      .choices({"relu", "qr"})
      .doc("Take the directions as they are, or an orthonormal basis of them")
      .source("Hugging Face PEFT");
  s.field("alpha", &DeftParams::alpha)
      .range(0, 1e6)
      .doc("What is put there is scaled by alpha / r; 0 for not at all")
      .only_if("not para")
      .source("Hugging Face PEFT");
  s.field("para", &DeftParams::para).doc("Put nothing there");
  s.field("deft_dropout", &DeftParams::deft_dropout)
      .min(0)
      .below(1)
      .doc("Share of what enters R that is dropped in training")
      .only_if("not para");
  bind_bias(s, "deft_only");
  compared_by_peft(s);
}

// Q [out, r] and P [out, r].
std::pair<at::Tensor, at::Tensor> directions(const at::Tensor& trained, const DeftParams& params) {
  if (params.decomposition_method == "relu") return {trained, at::relu(trained)};
  const at::Tensor basis = std::get<0>(at::linalg_qr(trained));
  return {basis, basis};
}

class Replaced final : public espalier::OutputChange {
 public:
  // `weight` is the frozen matrix, `inserted` R scaled by s; undefined with para.
  Replaced(const DeftParams& params, const Site& site, at::Tensor trained, at::Tensor inserted,
           double scale)
      : params_(params),
        dropout_{site.name, params.deft_dropout},
        weight_(matrix_of(site)),
        trained_(std::move(trained)),
        inserted_(std::move(inserted)),
        scale_(scale) {}

  [[nodiscard]] at::Tensor output(const at::Tensor& x, const at::Tensor& y,
                                  const Mode& mode) const override {
    const auto [q, p] = directions(trained_, params_);
    at::Tensor low = -at::linear(x.to(at::kFloat), at::matmul(p.t(), weight_));
    if (inserted_.defined()) {
      low = low + at::linear(dropout_(x, mode).to(at::kFloat), inserted_ * scale_);
    }
    return y + at::linear(low, q).to(y.scalar_type());
  }
  [[nodiscard]] LinearMap folded(const LinearMap& frozen) const override {
    const auto [q, p] = directions(trained_, params_);
    at::Tensor low = -at::matmul(p.t(), frozen.weight);
    if (inserted_.defined()) low = low + inserted_ * scale_;
    return {frozen.weight + at::matmul(q, low), frozen.bias};
  }

 private:
  DeftParams params_;
  espalier::InputDropout dropout_;
  at::Tensor weight_;
  at::Tensor trained_;
  at::Tensor inserted_;
  double scale_;
};

class Deft final : public espalier::LinearMethod {
 public:
  using Params = DeftParams;
  Deft(const Params& params, const espalier::RunContext&)
      : LinearMethod(params, params.bias), params_(params) {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = config_of("DEFT");
    config["r"] = params_.r;
    config["decomposition_method"] = params_.decomposition_method;
    config["alpha"] = nullptr;
    if (params_.alpha > 0) config["alpha"] = espalier::number(params_.alpha);
    config["para"] = params_.para;
    config["deft_dropout"] = params_.deft_dropout;
    return config;
  }

 private:
  // R starts as what is taken off, so that nothing is changed.
  std::shared_ptr<espalier::MapChange> change(Site& site, espalier::Parameters& parameters,
                                              espalier::Random& random) override {
    const std::int64_t r = params_.r;
    espalier::require_rank("r", r, site);
    const double scale = params_.alpha > 0 ? params_.alpha / static_cast<double>(r) : 1;
    const at::Tensor trained =
        parameters.add(site.name + ".deft_P",
                       espalier::normal_init({outputs_of(site), r}, direction_deviation, random));
    at::Tensor inserted;
    if (!params_.para) {
      const at::Tensor p = directions(trained.detach(), params_).second;
      inserted = parameters.add(site.name + ".deft_R", at::matmul(p.t(), matrix_of(site)) / scale);
    }
    return std::make_shared<Replaced>(params_, site, trained, inserted, scale);
  }

  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "deft", 1, Deft,
                   "Replaces what linear maps give along trained directions (Kumar 2025)",
                   "needs_sites on_linear mergeable")
