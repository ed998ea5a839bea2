// PVeRA (Fillioux et al. 2025): VeRA, whose ranks are drawn from normal distributions in training
// and are their means else.
//   y <- y + b * (B (m + e * exp(v / 2))), [m; v] = d * (A drop(x)), e standard normal
// A and B are random, shared by all maps, and stay as they are.
#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>

#include <espalier/nn/dropout.hpp>
#include <espalier/peft/random_projections.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::Factors;
using espalier::Mode;

struct PveraParams : espalier::ProjectionParams {
  double pvera_dropout = 0;
};

void bind(espalier::Schema<PveraParams>& s) {
  bind_projections(s);
  s.field("pvera_dropout", &PveraParams::pvera_dropout)
      .min(0)
      .below(1)
      .doc("Share of what enters A that is dropped in training");
  bind_bias(s, "pvera_only");
  compared_by_peft(s, {{"lr", 3e-3}});
}

class PveraChange final : public espalier::OutputChange {
 public:
  // `random`: A [2 r, in], B [out, r]; `b` [out], `d` [2 r].
  PveraChange(espalier::InputDropout dropout, Factors random, at::Tensor b, at::Tensor d)
      : dropout_(std::move(dropout)),
        random_(std::move(random)),
        b_(std::move(b)),
        d_(std::move(d)) {}

  [[nodiscard]] at::Tensor output(const at::Tensor& x, const at::Tensor& y,
                                  const Mode& mode) const override {
    const at::Tensor both = at::linear(dropout_(x, mode).to(at::kFloat), random_.a) * d_;
    const std::int64_t r = random_.b.size(1);
    at::Tensor ranks = both.slice(-1, 0, r);
    if (mode.training) {
      const at::Tensor deviation = (both.slice(-1, r) * 0.5).exp();
      ranks = ranks + deviation * espalier::normal_noise(deviation, mode, dropout_.site + ".noise");
    }
    return y + (at::linear(ranks, random_.b) * b_).to(y.scalar_type());
  }

  [[nodiscard]] espalier::LinearMap folded(const espalier::LinearMap& frozen) const override {
    const std::int64_t r = random_.b.size(1);
    const at::Tensor a = random_.a.slice(0, 0, r) * d_.slice(0, 0, r).unsqueeze(1);
    return {frozen.weight + at::matmul(random_.b * b_.unsqueeze(1), a), frozen.bias};
  }

 private:
  espalier::InputDropout dropout_;
  Factors random_;
  at::Tensor b_;
  at::Tensor d_;
};

class Pvera final : public espalier::ProjectionMethod {
 public:
  using Params = PveraParams;
  Pvera(const Params& params, const espalier::RunContext&)
      : ProjectionMethod(params, "pvera", 2), dropout_(params.pvera_dropout) {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = projection_config("PVERA");
    config["pvera_dropout"] = dropout_;
    config["sample_at_inference"] = false;
    return config;
  }

 private:
  [[nodiscard]] std::shared_ptr<espalier::MapChange> change(const std::string& site,
                                                            Share share) const override {
    return std::make_shared<PveraChange>(espalier::InputDropout{site, dropout_}, share.random,
                                         share.b, share.d);
  }

  double dropout_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "pvera", 1, Pvera,
                   "VeRA whose ranks are drawn from trained distributions (Fillioux 2025)",
                   "needs_sites on_linear identity_at_init mergeable")
