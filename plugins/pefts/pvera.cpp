// PVeRA (Fillioux et al. 2025): VeRA, whose ranks are drawn from normal distributions in training
// and are their means else.
//   y <- y + b * (B (m + e * exp(v / 2))), [m; v] = d * (A drop(x)), e standard normal
// A and B are random, shared by all maps, and stay as they are.
#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>

#include <espalier/nn/dropout.hpp>
#include <espalier/peft/linear_method.hpp>
#include <espalier/peft/seeded.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::Factors;
using espalier::Mode;
using espalier::Parameters;
using espalier::Site;

struct PveraParams : espalier::TargetParams {
  PveraParams() { target_modules = {"q", "v"}; }
  std::int64_t r = 256;
  std::int64_t projection_prng_key = 0;
  bool save_projection = true;
  double pvera_dropout = 0;
  double d_initial = 0.1;
  std::string bias = "none";
};

void bind(espalier::Schema<PveraParams>& s) {
  bind_targets(s);
  s.field("r", &PveraParams::r).range(1, 65536).doc("Rank").source("Hugging Face PEFT");
  s.field("projection_prng_key", &PveraParams::projection_prng_key)
      .min(0)
      .doc("Seed of the random matrices, which the seed of a trial leaves alone")
      .source("Hugging Face PEFT");
  s.field("save_projection", &PveraParams::save_projection)
      .doc("Keep the random matrices in the adapter, instead of their seed alone");
  s.field("pvera_dropout", &PveraParams::pvera_dropout)
      .min(0)
      .below(1)
      .doc("Share of what enters A that is dropped in training");
  s.field("d_initial", &PveraParams::d_initial)
      .range(-100, 100)
      .doc("Start of d; b starts at 0")
      .source("Hugging Face PEFT");
  bind_bias(s, "pvera_only");
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

class Pvera final : public espalier::LinearMethod {
 public:
  using Params = PveraParams;
  Pvera(const Params& params, const espalier::RunContext&)
      : LinearMethod(params, params.bias), params_(params) {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = config_of("PVERA");
    config["r"] = params_.r;
    config["projection_prng_key"] = params_.projection_prng_key;
    config["save_projection"] = params_.save_projection;
    config["pvera_dropout"] = params_.pvera_dropout;
    config["d_initial"] = params_.d_initial;
    config["sample_at_inference"] = false;
    return config;
  }

  [[nodiscard]] std::vector<Parameters::Entry> buffers() const override {
    if (!params_.save_projection || !random_.a.defined()) return {};
    return {{"base_model.pvera_A", random_.a}, {"base_model.pvera_B", random_.b}};
  }

 private:
  void begin(const espalier::AdaptableEncoder&, std::span<Site* const> sites,
             Parameters& parameters, espalier::Random&) override {
    const espalier::MapSizes most = espalier::largest_of(sites);
    at::Generator generator = espalier::seeded_generator(params_.projection_prng_key);
    const at::Device device = parameters.device();
    random_.a = espalier::seeded_kaiming({2 * params_.r, most.inputs}, generator).to(device);
    random_.b = espalier::seeded_kaiming({most.outputs, params_.r}, generator).to(device);
  }

  std::shared_ptr<espalier::MapChange> change(Site& site, Parameters& parameters,
                                              espalier::Random&) override {
    const std::int64_t out = outputs_of(site);
    const at::Tensor b =
        parameters.add(site.name + ".pvera_lambda_b", at::zeros({out}, at::kFloat));
    const at::Tensor d = parameters.add(site.name + ".pvera_lambda_d",
                                        at::full({2 * params_.r}, params_.d_initial, at::kFloat));
    const Factors part{random_.a.slice(1, 0, inputs_of(site)), random_.b.slice(0, 0, out)};
    return std::make_shared<PveraChange>(espalier::InputDropout{site.name, params_.pvera_dropout},
                                         part, b, d);
  }

  Params params_;
  Factors random_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "pvera", 1, Pvera,
                   "VeRA whose ranks are drawn from trained distributions (Fillioux 2025)",
                   "needs_sites identity_at_init mergeable")
