// GraLoRA (Jung et al. 2025): a low rank for each of k times k blocks of a weight, so that inputs
// that stand out reach no more than their own blocks.
//   block (j, n) of W' = block (j, n) of W + alpha / (r + hybrid_r) B[j, n] A[n, j]
// Each strip of inputs and each strip of outputs has a factor of rank r, which its k blocks share
// out; hybrid_r more ranks are a plain low rank.
#include <ATen/TensorOperators.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>

#include <espalier/peft/adapter.hpp>
#include <espalier/peft/linear_method.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::Factors;
using espalier::Site;

struct GraloraParams : espalier::TargetParams {
  GraloraParams() { target_modules = {"q", "v"}; }
  std::int64_t r = 32;
  std::int64_t hybrid_r = 0;
  double alpha = 64;
  double gralora_dropout = 0;
  std::int64_t gralora_k = 2;
  std::string bias = "none";
};

void bind(espalier::Schema<GraloraParams>& s) {
  bind_targets(s);
  s.field("r", &GraloraParams::r)
      .sizes()
      .range(1, 65536)
      .doc("Rank that the blocks of a strip share out, a multiple of gralora_k")
      .source("Hugging Face PEFT");
  s.field("hybrid_r", &GraloraParams::hybrid_r)
      .range(0, 65536)
      .doc("Rank of a plain low rank beside the blocks")
      .source("Hugging Face PEFT");
  s.field("alpha", &GraloraParams::alpha)
      .above(0)
      .max(1e6)
      .doc("The change is scaled by alpha / (r + hybrid_r)")
      .source("Hugging Face PEFT");
  s.field("gralora_dropout", &GraloraParams::gralora_dropout)
      .min(0)
      .below(1)
      .doc("Share of what enters the blocks that is dropped in training");
  s.field("gralora_k", &GraloraParams::gralora_k)
      .range(1, 65536)
      .doc("Strips of inputs, and of outputs")
      .source("Hugging Face PEFT");
  bind_bias(s, "gralora_only");
  compared_by_peft(s, {{"lr", 2e-4}});
}

class StripBlocks final : public espalier::AddedWeight {
 public:
  // `strips`: A [k, in / k, r] and B [k, r, out / k]; `plain` may be undefined.
  StripBlocks(espalier::InputDropout dropout, Factors strips, Factors plain, double scale)
      : AddedWeight(std::move(dropout)),
        strips_(std::move(strips)),
        plain_(std::move(plain)),
        scale_(scale) {}

  [[nodiscard]] at::Tensor delta() const override {
    const std::int64_t k = strips_.a.size(0), share = strips_.a.size(2) / k;
    // [inputs n, outputs j, in / k, share] and [outputs j, inputs n, share, out / k]
    const at::Tensor a = strips_.a.view({k, -1, k, share}).permute({0, 2, 1, 3});
    const at::Tensor b = strips_.b.view({k, k, share, -1});
    const at::Tensor blocks = at::matmul(a, b.transpose(0, 1));
    const at::Tensor whole = blocks.permute({1, 3, 0, 2}).flatten(2).flatten(0, 1);
    return (plain_.a.defined() ? whole + at::matmul(plain_.b, plain_.a) : whole) * scale_;
  }

 private:
  Factors strips_;
  Factors plain_;
  double scale_;
};

class Gralora final : public espalier::LinearMethod {
 public:
  using Params = GraloraParams;
  Gralora(const Params& params, const espalier::RunContext&)
      : LinearMethod(params, params.bias), params_(params) {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = config_of("GRALORA");
    config["r"] = params_.r;
    config["hybrid_r"] = params_.hybrid_r;
    config["alpha"] = espalier::number(params_.alpha);
    config["gralora_dropout"] = params_.gralora_dropout;
    config["gralora_k"] = params_.gralora_k;
    return config;
  }

 private:
  std::shared_ptr<espalier::MapChange> change(Site& site, espalier::Parameters& parameters,
                                              espalier::Random& random) override {
    require_fit(site);
    const std::int64_t k = params_.gralora_k, r = params_.r, more = params_.hybrid_r;
    const std::int64_t in = inputs_of(site), out = outputs_of(site);
    const auto add = [&](const std::string& name, const at::Tensor& start) {
      return parameters.add(site.name + ".gralora_" + name, start);
    };
    const at::Tensor start = espalier::linear_init({k, r, in / k}, random).transpose(1, 2);
    const Factors strips{add("A", start), add("B", at::zeros({k, r, out / k}, at::kFloat))};
    Factors plain;
    if (more > 0) {
      plain.a = add("A_general.weight", espalier::linear_init({more, in}, random));
      plain.b = add("B_general.weight", at::zeros({out, more}, at::kFloat));
    }
    return std::make_shared<StripBlocks>(espalier::InputDropout{site.name, params_.gralora_dropout},
                                         strips, plain,
                                         params_.alpha / static_cast<double>(r + more));
  }

  void require_fit(const Site& site) const {
    const std::int64_t k = params_.gralora_k;
    espalier::require_divisor("gralora_k", k, inputs_of(site), site);
    espalier::require_divisor("gralora_k", k, outputs_of(site), site);
    espalier::require_divisor("gralora_k", k, params_.r, site);
    espalier::require_rank("r", params_.r, site);
    if (params_.hybrid_r > 0) espalier::require_rank("hybrid_r", params_.hybrid_r, site);
  }

  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "gralora", 1, Gralora, "A low rank for each block of a weight (Jung 2025)",
                   "needs_sites on_linear identity_at_init mergeable")
