// RandLoRA (Albert et al. 2025): a sum of random products of rank r, as many as make it of full
// rank, whose scales alone are trained.
//   W' = W + randlora_alpha / r sum_i B_i diag(lambda_i) A diag(gamma_i)
// for maps that narrow or keep the width, with A [r, in] and B_i [out, r], and transposed for those
// that widen it. A and all B_i are random, shared by all maps, and stay as they are.
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/std.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <espalier/peft/adapter.hpp>
#include <espalier/peft/linear_method.hpp>
#include <espalier/peft/seeded.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::Factors;
using espalier::Parameters;
using espalier::Site;

struct RandLoraParams : espalier::TargetParams {
  RandLoraParams() { target_modules = {"q", "v"}; }
  std::int64_t r = 32;
  double randlora_alpha = 640;
  double randlora_dropout = 0;
  std::int64_t projection_prng_key = 0;
  bool save_projection = true;
  bool sparse = false;
  bool very_sparse = false;
  std::string bias = "none";
};

void bind(espalier::Schema<RandLoraParams>& s) {
  bind_targets(s);
  s.field("r", &RandLoraParams::r)
      .sizes(-1)
      .range(1, 65536)
      .doc("Rank of one product; the larger it is, the fewer products there are")
      .source("Hugging Face PEFT");
  s.field("randlora_alpha", &RandLoraParams::randlora_alpha)
      .above(0)
      .max(1e6)
      .doc("The sum is scaled by randlora_alpha / r")
      .source("Hugging Face PEFT");
  s.field("randlora_dropout", &RandLoraParams::randlora_dropout)
      .min(0)
      .below(1)
      .doc("Share of what enters the products that is dropped in training");
  s.field("projection_prng_key", &RandLoraParams::projection_prng_key)
      .min(0)
      .doc("Seed of the random matrices, which the seed of a trial leaves alone")
      .source("Hugging Face PEFT");
  s.field("save_projection", &RandLoraParams::save_projection)
      .doc("Keep the random matrices in the adapter, instead of their seed alone");
  s.field("sparse", &RandLoraParams::sparse)
      .doc("Random matrices of -1, 0 and 1, two thirds of them 0")
      .only_if("not very_sparse");
  s.field("very_sparse", &RandLoraParams::very_sparse)
      .doc("The same, all but one of the square root of the width 0");
  bind_bias(s, "randlora_only");
  compared_by_peft(s);
}

std::int64_t bases_of(std::int64_t narrow, std::int64_t r) { return (narrow + r - 1) / r; }

// Uniform within +-1 / sqrt(r), drawn in bfloat16 as PEFT does.
at::Tensor dense(at::IntArrayRef sizes, at::Generator& generator) {
  const double bound = 1.0 / std::sqrt(static_cast<double>(sizes.back()));
  return at::empty(sizes, at::kBFloat16).uniform_(-bound, bound, generator);
}

// -1 and 1 for each one of 2 * sparsity, else 0.
at::Tensor signs(at::IntArrayRef sizes, double sparsity, at::Generator& generator) {
  const at::Tensor draw = at::empty(sizes, at::kFloat).uniform_(0, 1, generator);
  const double share = 1 / (2 * sparsity);
  return draw.gt(1 - share).to(at::kFloat) - draw.lt(share).to(at::kFloat);
}

// A [r, 1, narrow] and B [wide, bases, r], of deviation 1.
Factors random_bases(const RandLoraParams& params, std::int64_t narrow, std::int64_t wide) {
  at::Generator generator = espalier::seeded_generator(params.projection_prng_key);
  const std::int64_t r = params.r, bases = bases_of(narrow, r);
  Factors drawn;
  if (params.sparse || params.very_sparse) {
    const double sparsity = params.very_sparse ? std::sqrt(static_cast<double>(narrow)) : 3;
    drawn.a = signs({r, 1, narrow}, sparsity, generator);
    drawn.b = signs({wide, bases, r}, sparsity, generator);
  } else {
    drawn.a = dense({r, 1, narrow}, generator);
    std::vector<at::Tensor> parts;
    for (std::int64_t i = 0; i < bases; ++i) parts.push_back(dense({wide, 1, r}, generator));
    drawn.b = at::cat(parts, 1);
  }
  return {(drawn.a / at::std(drawn.a)).to(at::kFloat), (drawn.b / at::std(drawn.b)).to(at::kFloat)};
}

class RandLoraChange final : public espalier::AddedProduct {
 public:
  // `lambda` [r, bases], `gamma` [bases, narrow], `random` cut to the map.
  RandLoraChange(espalier::InputDropout dropout, Factors random, at::Tensor lambda,
                 at::Tensor gamma, double scale, bool widens)
      : AddedProduct(std::move(dropout)),
        random_(std::move(random)),
        lambda_(std::move(lambda)),
        gamma_(std::move(gamma)),
        scale_(scale),
        widens_(widens) {}

  [[nodiscard]] Factors factors() const override {
    const at::Tensor narrow =
        (lambda_.unsqueeze(2) * random_.a * gamma_.unsqueeze(0)).flatten(0, 1) * scale_;
    const at::Tensor wide = random_.b.flatten(1).transpose(0, 1);
    return widens_ ? Factors{narrow, wide.t()} : Factors{wide, narrow.t()};
  }

 private:
  Factors random_;
  at::Tensor lambda_;
  at::Tensor gamma_;
  double scale_;
  bool widens_;
};

class RandLora final : public espalier::LinearMethod {
 public:
  using Params = RandLoraParams;
  RandLora(const Params& params, const espalier::RunContext&)
      : LinearMethod(params, params.bias), params_(params) {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = config_of("RANDLORA");
    config["r"] = params_.r;
    config["randlora_alpha"] = espalier::number(params_.randlora_alpha);
    config["randlora_dropout"] = params_.randlora_dropout;
    config["projection_prng_key"] = params_.projection_prng_key;
    config["save_projection"] = params_.save_projection;
    config["sparse"] = params_.sparse;
    config["very_sparse"] = params_.very_sparse;
    return config;
  }

  // PEFT repeats them for every map.
  [[nodiscard]] std::vector<Parameters::Entry> buffers() const override {
    std::vector<Parameters::Entry> all;
    if (!params_.save_projection) return all;
    for (const std::string& holder : holders_) {
      all.emplace_back(holder + ".randlora_A", random_.a);
      all.emplace_back(holder + ".randlora_B", random_.b);
    }
    return all;
  }

 private:
  void begin(const espalier::AdaptableEncoder&, std::span<Site* const> sites,
             Parameters& parameters, espalier::Random&) override {
    const auto [inputs, outputs] = espalier::largest_of(sites);
    random_ = random_bases(params_, std::min(inputs, outputs), std::max(inputs, outputs));
    random_.a = random_.a.to(parameters.device());
    random_.b = random_.b.to(parameters.device());
    holders_ = {"base_model"};
  }

  std::shared_ptr<espalier::MapChange> change(Site& site, Parameters& parameters,
                                              espalier::Random&) override {
    const std::int64_t in = inputs_of(site), out = outputs_of(site);
    const std::int64_t narrow = std::min(in, out), bases = bases_of(narrow, params_.r);
    holders_.push_back(site.name);
    const at::Tensor lambda =
        parameters.add(site.name + ".randlora_lambda", at::zeros({params_.r, bases}, at::kFloat));
    const double even = 1.0 / static_cast<double>(std::max(bases, narrow));
    const at::Tensor gamma =
        parameters.add(site.name + ".randlora_gamma", at::full({bases, narrow}, even, at::kFloat));
    const Factors part{random_.a.slice(2, 0, narrow),
                       random_.b.slice(0, 0, std::max(in, out)).slice(1, 0, bases)};
    const double scale = params_.randlora_alpha / static_cast<double>(params_.r);
    return std::make_shared<RandLoraChange>(
        espalier::InputDropout{site.name, params_.randlora_dropout}, part, lambda, gamma, scale,
        narrow == in);
  }

  Params params_;
  Factors random_;
  std::vector<std::string> holders_;  // names under which the file has the random matrices
};

}  // namespace

ESPALIER_COMPONENT(peft, "randlora", 1, RandLora,
                   "Scales a full-rank sum of random products (Albert 2025)",
                   "needs_sites on_linear identity_at_init mergeable")
