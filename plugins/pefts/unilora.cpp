// Uni-LoRA (Li et al. 2025): the factors of all low ranks are one trained vector, whose numbers are
// dealt out at random and scaled so that the map from it keeps lengths.
//   y <- y + B A drop(x), each entry theta_k / sqrt(times that k is dealt out)
#include <ATen/TensorOperators.h>
#include <ATen/ops/bincount.h>
#include <ATen/ops/tensor.h>

#include <espalier/peft/linear_method.hpp>
#include <espalier/plugin/component.hpp>
#include <map>

#include "pefts/unilora/numpy_random.hpp"

namespace {

using espalier::Factors;
using espalier::Parameters;
using espalier::Site;

struct UniLoraParams : espalier::TargetParams {
  UniLoraParams() { target_modules = {"q", "v"}; }
  std::int64_t r = 4;
  std::int64_t proj_seed = 42;
  std::int64_t theta_d_length = 256;
  double unilora_dropout = 0;
  double init_theta_d_bound = 0.02;
  std::string bias = "none";
};

void bind(espalier::Schema<UniLoraParams>& s) {
  bind_targets(s);
  s.field("r", &UniLoraParams::r).range(1, 65536).doc("Rank").source("Hugging Face PEFT");
  s.field("proj_seed", &UniLoraParams::proj_seed)
      .min(0)
      .doc("Seed by which the vector is dealt out, which the seed of a trial leaves alone")
      .source("Hugging Face PEFT");
  s.field("theta_d_length", &UniLoraParams::theta_d_length)
      .sizes()
      .range(1, 1e8)
      .doc("Length of the vector")
      .source("Hugging Face PEFT");
  s.field("unilora_dropout", &UniLoraParams::unilora_dropout)
      .min(0)
      .below(1)
      .doc("Share of what enters A that is dropped in training");
  s.field("init_theta_d_bound", &UniLoraParams::init_theta_d_bound)
      .above(0)
      .max(1e3)
      .doc("The vector starts uniform within this")
      .source("Hugging Face PEFT");
  bind_bias(s, "unilora_only");
  compared_by_peft(s, {{"lr", 2e-3}});
}

// Which number of the vector stands at each of `places`: each as often as another, or once more.
at::Tensor dealt_out(std::int64_t places, const UniLoraParams& params) {
  espalier::NumpyRandom random(static_cast<std::uint64_t>(params.proj_seed));
  const std::int64_t length = params.theta_d_length;
  std::vector<std::int64_t> dealt;
  dealt.reserve(static_cast<std::size_t>(places));
  for (std::int64_t number = 0; number < length; ++number) {
    dealt.insert(dealt.end(), static_cast<std::size_t>(places / length), number);
  }
  if (places % length > 0) {
    const std::vector<std::int64_t> extra = random.choice(length, places % length);
    dealt.insert(dealt.end(), extra.begin(), extra.end());
  }
  random.shuffle(dealt);
  return at::tensor(dealt, at::kLong);
}

class Dealt final : public espalier::AddedProduct {
 public:
  // `places`: int64, of A [r, in] and B [out, r]; `scales` of the same sizes.
  Dealt(espalier::InputDropout dropout, at::Tensor theta, Factors places, Factors scales)
      : AddedProduct(std::move(dropout)),
        theta_(std::move(theta)),
        places_(std::move(places)),
        scales_(std::move(scales)) {}

  [[nodiscard]] Factors factors() const override {
    return {taken(places_.a) * scales_.a, taken(places_.b) * scales_.b};
  }

 private:
  [[nodiscard]] at::Tensor taken(const at::Tensor& places) const {
    return theta_.index_select(0, places.flatten()).view_as(places);
  }

  at::Tensor theta_;
  Factors places_;
  Factors scales_;
};

class UniLora final : public espalier::LinearMethod {
 public:
  using Params = UniLoraParams;
  UniLora(const Params& params, const espalier::RunContext&)
      : LinearMethod(params, params.bias), params_(params) {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = config_of("UNILORA");
    config["r"] = params_.r;
    config["proj_seed"] = params_.proj_seed;
    config["theta_d_length"] = params_.theta_d_length;
    config["unilora_dropout"] = params_.unilora_dropout;
    config["save_indices"] = false;
    return config;
  }

 private:
  void begin(const espalier::AdaptableEncoder&, std::span<Site* const> sites,
             Parameters& parameters, espalier::Random& random) override {
    theta_ = parameters.add(
        "base_model.unilora_theta_d",
        espalier::uniform_init({params_.theta_d_length}, params_.init_theta_d_bound, random));
    std::int64_t count = 0;
    for (Site* site : espalier::in_published_order({sites.begin(), sites.end()})) {
      first_[site] = count;
      count += params_.r * (inputs_of(*site) + outputs_of(*site));
    }
    places_ = dealt_out(count, params_).to(parameters.device());
    const at::Tensor times = at::bincount(places_, {}, params_.theta_d_length);
    scales_ = times.to(at::kFloat).rsqrt().index_select(0, places_);
  }

  std::shared_ptr<espalier::MapChange> change(Site& site, Parameters&, espalier::Random&) override {
    const std::int64_t r = params_.r, in = inputs_of(site), out = outputs_of(site);
    espalier::require_rank("r", r, site);
    const std::int64_t first = first_.at(&site), middle = first + r * in;
    const auto cut = [&](const at::Tensor& all) {
      return Factors{all.slice(0, first, middle).view({r, in}),
                     all.slice(0, middle, middle + r * out).view({out, r})};
    };
    return std::make_shared<Dealt>(espalier::InputDropout{site.name, params_.unilora_dropout},
                                   theta_, cut(places_), cut(scales_));
  }

  Params params_;
  at::Tensor theta_;
  at::Tensor places_;
  at::Tensor scales_;
  std::map<const Site*, std::int64_t> first_;  // place of each map
};

}  // namespace

ESPALIER_COMPONENT(peft, "unilora", 1, UniLora, "Low ranks out of one vector (Li 2025)",
                   "needs_sites on_linear mergeable")
