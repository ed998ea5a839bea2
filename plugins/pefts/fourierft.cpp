// FourierFT (Gao et al. 2024): a change of a weight with few frequencies, at random places of its
// spectrum.
//   W' = W + scaling Re ifft2(S), S [out, in] zero but for n_frequency trained entries
#include <ATen/TensorOperators.h>
#include <ATen/ops/fft_ifft2.h>
#include <ATen/ops/real.h>
#include <ATen/ops/zeros.h>

#include <espalier/core/error.hpp>
#include <espalier/peft/adapter.hpp>
#include <espalier/peft/linear_method.hpp>
#include <espalier/peft/seeded.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::Site;

struct FourierParams : espalier::TargetParams {
  FourierParams() { target_modules = {"q", "v"}; }
  std::int64_t n_frequency = 1000;
  double scaling = 150;
  std::int64_t random_loc_seed = 777;
  bool init_weights = false;
  std::vector<std::string> n_frequency_pattern;
  std::string bias = "none";
};

void bind(espalier::Schema<FourierParams>& s) {
  bind_targets(s);
  s.field("n_frequency", &FourierParams::n_frequency)
      .sizes()
      .range(1, 1e9)
      .doc("Entries of the spectrum of each map that are trained")
      .source("Gao et al. 2024");
  s.field("scaling", &FourierParams::scaling)
      .above(0)
      .max(1e6)
      .doc("Factor on what the spectrum gives")
      .source("Hugging Face PEFT");
  s.field("random_loc_seed", &FourierParams::random_loc_seed)
      .min(0)
      .doc("Seed of the places, which the seed of a trial leaves alone")
      .source("Hugging Face PEFT");
  s.field("init_weights", &FourierParams::init_weights)
      .doc("Start at 0, instead of from a standard normal distribution")
      .source("Hugging Face PEFT");
  s.field("n_frequency_pattern", &FourierParams::n_frequency_pattern)
      .doc("n_frequency of some modules, as MODULE=NUMBER; MODULE may be a regular expression");
  bind_bias(s, "fourier_only");
  compared_by_peft(s);
}

class Spectrum final : public espalier::AddedWeight {
 public:
  // `places` int64 [n], row * in + column.
  Spectrum(const Site& site, at::Tensor values, at::Tensor places, double scaling)
      : out_(outputs_of(site)),
        in_(inputs_of(site)),
        values_(std::move(values)),
        places_(std::move(places)),
        scaling_(scaling) {}

  [[nodiscard]] at::Tensor delta() const override {
    const at::Tensor dense =
        at::zeros({out_ * in_}, values_.options()).scatter(0, places_, values_);
    return at::real(at::fft_ifft2(dense.view({out_, in_}))) * scaling_;
  }

 private:
  std::int64_t out_;
  std::int64_t in_;
  at::Tensor values_;
  at::Tensor places_;
  double scaling_;
};

class FourierFt final : public espalier::LinearMethod {
 public:
  using Params = FourierParams;
  FourierFt(const Params& params, const espalier::RunContext&)
      : LinearMethod(params, params.bias),
        params_(params),
        counts_(params.n_frequency_pattern, static_cast<double>(params.n_frequency),
                "n_frequency_pattern") {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = config_of("FOURIERFT");
    config["n_frequency"] = params_.n_frequency;
    config["scaling"] = params_.scaling;
    config["random_loc_seed"] = params_.random_loc_seed;
    config["n_frequency_pattern"] = espalier::pattern_json(counts_, 1);
    return config;
  }

 private:
  std::shared_ptr<espalier::MapChange> change(Site& site, espalier::Parameters& parameters,
                                              espalier::Random& random) override {
    const auto count = static_cast<std::int64_t>(counts_.of(site.name));
    espalier::require_places("n_frequency", count, site);
    const at::Tensor start = params_.init_weights ? at::zeros({count}, at::kFloat)
                                                  : espalier::normal_init({count}, 1, random);
    const at::Tensor values = parameters.add(site.name + ".fourierft_spectrum", start);
    const at::Tensor places =
        espalier::seeded_places(outputs_of(site), inputs_of(site), count, params_.random_loc_seed);
    return std::make_shared<Spectrum>(site, values, places.to(values.device()), params_.scaling);
  }

  Params params_;
  espalier::ModulePattern counts_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "fourierft", 1, FourierFt,
                   "Trains a few frequencies of a change of linear maps (Gao 2024)",
                   "needs_sites on_linear mergeable")
