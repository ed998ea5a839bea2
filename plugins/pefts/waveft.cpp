// WaveFT (Bilican et al. 2025): a change of a weight with few wavelet coefficients, at random
// places.
//   W' = W + scaling idwt2(C), C zero but for n_frequency trained entries
// The quarters of C are approximation and details of one level of a Daubechies wavelet.
#include <ATen/TensorOperators.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/conv_transpose2d.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <espalier/peft/adapter.hpp>
#include <espalier/peft/linear_method.hpp>
#include <espalier/peft/seeded.hpp>
#include <espalier/plugin/component.hpp>
#include <map>

namespace {

using espalier::Site;

struct WaveParams : espalier::TargetParams {
  WaveParams() { target_modules = {"q", "v"}; }
  std::int64_t n_frequency = 2592;
  double scaling = 25;
  std::string wavelet_family = "db1";
  bool use_idwt = true;
  std::int64_t random_loc_seed = 777;
  bool proportional_parameters = false;
  std::vector<std::string> n_frequency_pattern;
  std::string bias = "none";
};

void bind(espalier::Schema<WaveParams>& s) {
  bind_targets(s);
  s.field("n_frequency", &WaveParams::n_frequency)
      .sizes()
      .range(1, 1e9)
      .doc("Coefficients of each map that are trained")
      .source("Hugging Face PEFT");
  s.field("scaling", &WaveParams::scaling)
      .above(0)
      .max(1e6)
      .doc("Factor on what the coefficients give")
      .source("Hugging Face PEFT");
  s.field("wavelet_family", &WaveParams::wavelet_family)
      .choices({"db1", "db2", "db3", "db4"})
      .doc("Wavelet")
      .only_if("use_idwt")
      .source("Hugging Face PEFT");
  s.field("use_idwt", &WaveParams::use_idwt)
      .doc("Take them for coefficients, instead of entries of the weight")
      .source("Hugging Face PEFT");
  s.field("random_loc_seed", &WaveParams::random_loc_seed)
      .min(0)
      .doc("Seed of the places, which the seed of a trial leaves alone")
      .source("Hugging Face PEFT");
  s.field("proportional_parameters", &WaveParams::proportional_parameters)
      .doc("Share the coefficients of all maps out by their sizes");
  s.field("n_frequency_pattern", &WaveParams::n_frequency_pattern)
      .doc("n_frequency of some modules, as MODULE=NUMBER; MODULE may be a regular expression")
      .only_if("not proportional_parameters");
  bind_bias(s, "waveft_only");
  compared_by_peft(s);
}

// What a coefficient of the approximation spreads to (Daubechies 1992, table 6.1).
const std::vector<double>& low_pass(const std::string& family) {
  static const std::map<std::string, std::vector<double>> all = {
      {"db1", {0.70710678118654752, 0.70710678118654752}},
      {"db2",
       {0.48296291314453415, 0.83651630373780790, 0.22414386804201339, -0.12940952255126037}},
      {"db3",
       {0.33267055295008262, 0.80689150931109258, 0.45987750211849157, -0.13501102001025458,
        -0.08544127388202666, 0.03522629188570953}},
      {"db4",
       {0.23037781330889650, 0.71484657055291565, 0.63088076792985890, -0.02798376941685985,
        -0.18703481171909309, 0.03084138183556076, 0.03288301166688520, -0.01059740178506903}},
  };
  return all.at(family);
}

// [4, 1, n, n]: what one entry of each quarter spreads to.
at::Tensor spreads(const std::string& family, const at::TensorOptions& options) {
  const std::vector<double>& low = low_pass(family);
  std::vector<double> high(low.rbegin(), low.rend());
  for (std::size_t i = 1; i < high.size(); i += 2) high[i] = -high[i];
  const at::Tensor l = at::tensor(low, at::kDouble).to(options);
  const at::Tensor h = at::tensor(high, at::kDouble).to(options);
  const auto outer = [](const at::Tensor& rows, const at::Tensor& columns) {
    return rows.unsqueeze(1) * columns.unsqueeze(0);
  };
  return at::stack({outer(l, l), outer(h, l), outer(l, h), outer(h, h)}).unsqueeze(1);
}

class Wavelets final : public espalier::AddedWeight {
 public:
  // `places` int64 [n], row * in + column.
  Wavelets(const WaveParams& params, const Site& site, at::Tensor values, at::Tensor places)
      : out_(outputs_of(site)),
        in_(inputs_of(site)),
        values_(std::move(values)),
        places_(std::move(places)),
        scaling_(params.scaling) {
    if (params.use_idwt) spreads_ = spreads(params.wavelet_family, values_.options());
  }

  [[nodiscard]] at::Tensor delta() const override {
    const at::Tensor dense =
        at::zeros({out_ * in_}, values_.options()).scatter(0, places_, values_).view({out_, in_});
    return (spreads_.defined() ? synthesised(dense) : dense) * scaling_;
  }

 private:
  // Coefficients stand in the middle of a matrix that is larger by what the edges take off.
  [[nodiscard]] at::Tensor synthesised(const at::Tensor& dense) const {
    const std::int64_t length = spreads_.size(-1);
    const std::int64_t height = even(out_ + length - 2), width = even(in_ + length - 2);
    const std::int64_t above = (height - out_) / 2, before = (width - in_) / 2;
    const at::Tensor whole =
        at::constant_pad_nd(dense, {before, width - in_ - before, above, height - out_ - above});
    const at::Tensor top = whole.slice(0, 0, height / 2), bottom = whole.slice(0, height / 2);
    const at::Tensor quarters =
        at::stack({top.slice(1, 0, width / 2), top.slice(1, width / 2),
                   bottom.slice(1, 0, width / 2), bottom.slice(1, width / 2)});
    const at::Tensor made =
        at::conv_transpose2d(quarters.unsqueeze(0), spreads_, {}, /*stride=*/2).squeeze(0);
    return middle(middle(made.squeeze(0), 0, out_), 1, in_);
  }
  [[nodiscard]] static std::int64_t even(std::int64_t n) { return n + n % 2; }
  [[nodiscard]] at::Tensor middle(const at::Tensor& whole, std::int64_t dim,
                                  std::int64_t size) const {
    const std::int64_t edge = (2 * spreads_.size(-1) - 3) / 2;
    const std::int64_t first = edge + (whole.size(dim) - 2 * edge - size) / 2;
    return whole.slice(dim, first, first + size);
  }

  std::int64_t out_;
  std::int64_t in_;
  at::Tensor values_;
  at::Tensor places_;
  at::Tensor spreads_;
  double scaling_;
};

class WaveFt final : public espalier::LinearMethod {
 public:
  using Params = WaveParams;
  WaveFt(const Params& params, const espalier::RunContext&)
      : LinearMethod(params, params.bias),
        params_(params),
        counts_(params.n_frequency_pattern, static_cast<double>(params.n_frequency),
                "n_frequency_pattern") {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = config_of("WAVEFT");
    config["n_frequency"] = params_.n_frequency;
    config["scaling"] = params_.scaling;
    config["wavelet_family"] = params_.wavelet_family;
    config["use_idwt"] = params_.use_idwt;
    config["random_loc_seed"] = params_.random_loc_seed;
    config["proportional_parameters"] = params_.proportional_parameters;
    config["n_frequency_pattern"] = espalier::pattern_json(counts_, 1);
    return config;
  }

 private:
  void begin(const espalier::AdaptableEncoder&, std::span<Site* const> sites, espalier::Parameters&,
             espalier::Random&) override {
    double weights = 0;
    for (const Site* site : sites) weights += static_cast<double>(site->weight.numel());
    per_weight_ = static_cast<double>(params_.n_frequency * std::ssize(sites)) / weights;
  }

  std::shared_ptr<espalier::MapChange> change(Site& site, espalier::Parameters& parameters,
                                              espalier::Random&) override {
    const std::int64_t count = count_of(site), in = inputs_of(site), out = outputs_of(site);
    espalier::require_places("n_frequency", count, site);
    const at::Tensor values =
        parameters.add(site.name + ".waveft_spectrum", at::zeros({count}, at::kFloat));
    const at::Tensor places = espalier::seeded_places(out, in, count, params_.random_loc_seed);
    return std::make_shared<Wavelets>(params_, site, values, places.to(values.device()));
  }

  [[nodiscard]] std::int64_t count_of(const Site& site) const {
    if (!params_.proportional_parameters) return static_cast<std::int64_t>(counts_.of(site.name));
    const double share = per_weight_ * static_cast<double>(site.weight.numel());
    return std::max<std::int64_t>(1, std::llrint(share));
  }

  Params params_;
  espalier::ModulePattern counts_;
  double per_weight_ = 0;  // coefficients, where they are shared out by size
};

}  // namespace

ESPALIER_COMPONENT(
    peft, "waveft", 1, WaveFt,
    "Trains a few wavelet coefficients of a change of linear maps (Bilican 2025)",
    "needs_sites on_linear identity_at_init mergeable unseen:proportional_parameters")
