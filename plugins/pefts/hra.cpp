// HRA (Yuan, Liu and Xu 2024): the inputs of a map are reflected r times.
//   W' = W H_1 ... H_r, H_i = I - 2 u_i u_i^T / |u_i|^2
// Pairs of equal vectors undo each other, so an even r starts from the identity. With apply_GS the
// vectors are made orthogonal first: W' = W (I - 2 U U^T), which never is the identity.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/eye.h>
#include <ATen/ops/matmul.h>

#include <espalier/peft/linear_method.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::Mode;
using espalier::Site;

struct HraParams : espalier::TargetParams {
  HraParams() { target_modules = {"q", "v"}; }
  std::int64_t r = 8;
  bool apply_GS = false;
  std::string bias = "none";
};

void bind(espalier::Schema<HraParams>& s) {
  bind_targets(s);
  s.field("r", &HraParams::r)
      .sizes()
      .range(1, 65536)
      .doc("Number of reflections; even ones start from the identity")
      .source("Hugging Face PEFT");
  s.field("apply_GS", &HraParams::apply_GS)
      .doc("Make the vectors orthogonal, by Gram and Schmidt")
      .source("Hugging Face PEFT");
  bind_bias(s, "hra_only");
  compared_by_peft(s);
}

at::Tensor unit(const at::Tensor& vectors) { return vectors / vectors.norm(2, 0, true); }

// The columns of u, each less its part along those before it, of length 1.
at::Tensor orthonormal(const at::Tensor& u) {
  std::vector<at::Tensor> columns;
  for (std::int64_t i = 0; i < u.size(1); ++i) {
    at::Tensor column = u.slice(1, i, i + 1);
    for (const at::Tensor& before : columns) {
      column = column - before * (before * column).sum();
    }
    columns.push_back(unit(column));
  }
  return at::cat(columns, 1);
}

class Reflections final : public espalier::RotatedInput {
 public:
  // `u` [in, r].
  Reflections(at::Tensor u, bool orthogonal) : u_(std::move(u)), orthogonal_(orthogonal) {}

  [[nodiscard]] at::Tensor input(const at::Tensor& x, const Mode&) const override {
    return reflected(x.to(at::kFloat)).to(x.scalar_type());
  }
  [[nodiscard]] at::Tensor rotation() const override {
    return reflected(at::eye(u_.size(0), u_.options())).t();
  }

 private:
  // Of rows x: x H_r ... H_1.
  [[nodiscard]] at::Tensor reflected(at::Tensor x) const {
    if (orthogonal_) {
      const at::Tensor u = orthonormal(u_);
      return x - at::matmul(at::matmul(x, u), u.t()) * 2.0;
    }
    const at::Tensor u = unit(u_);
    for (std::int64_t i = u.size(1) - 1; i >= 0; --i) {
      const at::Tensor column = u.slice(1, i, i + 1);
      x = x - at::matmul(x, column) * column.t() * 2.0;
    }
    return x;
  }

  at::Tensor u_;
  bool orthogonal_;
};

class Hra final : public espalier::LinearMethod {
 public:
  using Params = HraParams;
  Hra(const Params& params, const espalier::RunContext&)
      : LinearMethod(params, params.bias), params_(params) {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = config_of("HRA");
    config["r"] = params_.r;
    config["apply_GS"] = params_.apply_GS;
    return config;
  }

 private:
  std::shared_ptr<espalier::MapChange> change(Site& site, espalier::Parameters& parameters,
                                              espalier::Random& random) override {
    espalier::require_rank("r", params_.r, site);
    const bool paired = params_.r % 2 == 0 && !params_.apply_GS;
    const std::int64_t drawn = paired ? params_.r / 2 : params_.r;
    const at::Tensor start = espalier::linear_init({inputs_of(site), drawn}, random);
    const at::Tensor u = parameters.add(site.name + ".hra_u",
                                        paired ? start.repeat_interleave(2, /*dim=*/1) : start);
    return std::make_shared<Reflections>(u, params_.apply_GS);
  }

  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "hra", 1, Hra, "Reflects the inputs of linear maps (Yuan 2024)",
                   "needs_sites on_linear mergeable")
