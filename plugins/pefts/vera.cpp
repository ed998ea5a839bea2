// VeRA (Kopiczko, Blankevoort and Asano 2024): one pair of random matrices for all maps, which stay
// as they are, and two trained vectors a map, b of its outputs and d of the ranks.
//   W' = W + diag(b) B[:out] diag(d) A[:, :in]
#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/zeros.h>

#include <espalier/peft/linear_method.hpp>
#include <espalier/peft/seeded.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::Factors;
using espalier::Parameters;
using espalier::Site;

struct VeraParams : espalier::TargetParams {
  VeraParams() { target_modules = {"q", "v"}; }
  std::int64_t r = 256;
  std::int64_t projection_prng_key = 0;
  bool save_projection = true;
  double vera_dropout = 0;
  double d_initial = 0.1;
  std::string bias = "none";
};

void bind(espalier::Schema<VeraParams>& s) {
  bind_targets(s);
  s.field("r", &VeraParams::r).range(1, 65536).doc("Rank").source("Hugging Face PEFT");
  s.field("projection_prng_key", &VeraParams::projection_prng_key)
      .min(0)
      .doc("Seed of the random matrices, which the seed of a trial leaves alone")
      .source("Hugging Face PEFT");
  s.field("save_projection", &VeraParams::save_projection)
      .doc("Keep the random matrices in the adapter, instead of their seed alone");
  s.field("vera_dropout", &VeraParams::vera_dropout)
      .min(0)
      .below(1)
      .doc("Share of what enters A that is dropped in training");
  s.field("d_initial", &VeraParams::d_initial)
      .range(-100, 100)
      .doc("Start of d; b starts at 0")
      .source("Kopiczko, Blankevoort and Asano 2024");
  bind_bias(s, "vera_only");
}

class VeraChange final : public espalier::AddedProduct {
 public:
  VeraChange(espalier::InputDropout dropout, Factors random, at::Tensor b, at::Tensor d)
      : AddedProduct(std::move(dropout)),
        random_(std::move(random)),
        b_(std::move(b)),
        d_(std::move(d)) {}

  [[nodiscard]] Factors factors() const override {
    return {random_.a * d_.unsqueeze(1), random_.b * b_.unsqueeze(1)};
  }

 private:
  Factors random_;
  at::Tensor b_;
  at::Tensor d_;
};

class Vera final : public espalier::LinearMethod {
 public:
  using Params = VeraParams;
  Vera(const Params& params, const espalier::RunContext&)
      : LinearMethod(params, params.bias), params_(params) {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = config_of("VERA");
    config["r"] = params_.r;
    config["projection_prng_key"] = params_.projection_prng_key;
    config["save_projection"] = params_.save_projection;
    config["vera_dropout"] = params_.vera_dropout;
    config["d_initial"] = params_.d_initial;
    return config;
  }

  [[nodiscard]] std::vector<Parameters::Entry> buffers() const override {
    if (!params_.save_projection || !random_.a.defined()) return {};
    return {{"base_model.vera_A", random_.a}, {"base_model.vera_B", random_.b}};
  }

 private:
  void begin(const espalier::AdaptableEncoder&, std::span<Site* const> sites,
             Parameters& parameters, espalier::Random&) override {
    const espalier::MapSizes most = espalier::largest_of(sites);
    at::Generator generator = espalier::seeded_generator(params_.projection_prng_key);
    const at::Device device = parameters.device();
    random_.a = espalier::seeded_kaiming({params_.r, most.inputs}, generator).to(device);
    random_.b = espalier::seeded_kaiming({most.outputs, params_.r}, generator).to(device);
  }

  std::shared_ptr<espalier::MapChange> change(Site& site, Parameters& parameters,
                                              espalier::Random&) override {
    const std::int64_t out = outputs_of(site);
    const at::Tensor b = parameters.add(site.name + ".vera_lambda_b", at::zeros({out}, at::kFloat));
    const at::Tensor d = parameters.add(site.name + ".vera_lambda_d",
                                        at::full({params_.r}, params_.d_initial, at::kFloat));
    const Factors part{random_.a.slice(1, 0, inputs_of(site)), random_.b.slice(0, 0, out)};
    return std::make_shared<VeraChange>(espalier::InputDropout{site.name, params_.vera_dropout},
                                        part, b, d);
  }

  Params params_;
  Factors random_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "vera", 1, Vera,
                   "Scales a shared pair of random matrices for each map (Kopiczko 2024)",
                   "needs_sites identity_at_init mergeable")
