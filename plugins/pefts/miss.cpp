// MiSS (Kang and Yin 2024): the inputs of a map are summed up in r groups, or r shards, and what is
// added is a trained map of these sums.
//   W'[o, i] = W[o, i] + D[i mod r, o]
// With init_weights=mini the mini_r columns of D are repeated over the outputs. With bat a trained
// [r, r] block for each r outputs multiplies the weight as well: of each block of W
//   W' = W + W D + D
#include <ATen/TensorOperators.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/zeros.h>

#include <espalier/peft/linear_method.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::InputDropout;
using espalier::Site;

struct MissParams : espalier::TargetParams {
  MissParams() { target_modules = {"q", "v"}; }
  std::int64_t r = 64;
  double miss_dropout = 0;
  std::int64_t mini_r = 1;
  std::string init_weights = "miss";
  std::string bias = "none";
};

void bind(espalier::Schema<MissParams>& s) {
  bind_targets(s);
  s.field("r", &MissParams::r)
      .sizes()
      .range(1, 65536)
      .doc("Groups of inputs")
      .source("Hugging Face PEFT");
  s.field("miss_dropout", &MissParams::miss_dropout)
      .min(0)
      .below(1)
      .doc("Share of the inputs that is dropped in training")
      .only_if("init_weights != 'bat'");
  s.field("mini_r", &MissParams::mini_r)
      .range(1, 65536)
      .doc("Outputs after which a map of the sums repeats")
      .only_if("init_weights == 'mini'")
      .source("Hugging Face PEFT");
  s.field("init_weights", &MissParams::init_weights)
      .choices({"miss", "mini", "bat"})
      .doc("The map itself, one that repeats, or blocks that multiply the weight")
      .source("Hugging Face PEFT");
  bind_bias(s, "MiSS_only");
  compared_by_peft(s);
}

// D of [r, outputs], or of fewer outputs that it repeats over.
class Shards final : public espalier::AddedWeight {
 public:
  Shards(InputDropout dropout, const Site& site, at::Tensor sums)
      : AddedWeight(std::move(dropout)),
        sums_(std::move(sums)),
        outputs_(outputs_of(site)),
        group_(at::arange(inputs_of(site), sums_.options().dtype(at::kLong))
                   .remainder(sums_.size(0))) {}

  [[nodiscard]] at::Tensor delta() const override {
    return sums_.repeat({1, outputs_ / sums_.size(1)}).t().index_select(1, group_);
  }

 private:
  at::Tensor sums_;
  std::int64_t outputs_;
  at::Tensor group_;
};

// D of [outputs / r, r, r].
class Blocks final : public espalier::AddedWeight {
 public:
  Blocks(const Site& site, at::Tensor blocks)
      : weight_(matrix_of(site)), blocks_(std::move(blocks)) {}

  [[nodiscard]] at::Tensor delta() const override {
    const std::int64_t r = blocks_.size(-1);
    const at::Tensor split =
        weight_.reshape({weight_.size(0) / r, r, weight_.size(1) / r, r}).permute({2, 0, 1, 3});
    const at::Tensor changed = at::matmul(split, blocks_) + blocks_;
    return changed.permute({1, 2, 0, 3}).reshape(weight_.sizes());
  }

 private:
  at::Tensor weight_;
  at::Tensor blocks_;
};

class Miss final : public espalier::LinearMethod {
 public:
  using Params = MissParams;
  Miss(const Params& params, const espalier::RunContext&)
      : LinearMethod(params, params.bias), params_(params) {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = config_of("MISS");
    config["r"] = params_.r;
    config["miss_dropout"] = params_.miss_dropout;
    config["mini_r"] = params_.mini_r;
    config["init_weights"] = true;
    if (params_.init_weights != "miss") config["init_weights"] = params_.init_weights;
    return config;
  }

 private:
  std::shared_ptr<espalier::MapChange> change(Site& site, espalier::Parameters& parameters,
                                              espalier::Random&) override {
    const std::int64_t r = params_.r, in = inputs_of(site), out = outputs_of(site);
    const std::string name = site.name + ".miss_block";
    if (params_.init_weights == "bat") {
      espalier::require_divisor("r", r, in, site);
      espalier::require_divisor("r", r, out, site);
      return std::make_shared<Blocks>(site,
                                      parameters.add(name, at::zeros({out / r, r, r}, at::kFloat)));
    }
    espalier::require_rank("r", r, site);
    const bool mini = params_.init_weights == "mini";
    if (mini) espalier::require_divisor("mini_r", params_.mini_r, out, site);
    const at::Tensor sums =
        parameters.add(name, at::zeros({r, mini ? params_.mini_r : out}, at::kFloat));
    return std::make_shared<Shards>(InputDropout{site.name, params_.miss_dropout}, site, sums);
  }

  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "miss", 1, Miss, "Maps sums over groups of inputs (Kang and Yin 2024)",
                   "needs_sites on_linear identity_at_init mergeable")
