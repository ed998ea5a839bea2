// SHiRA (Bhardwaj et al. 2024): a few entries of each weight are trained, at random places; as many
// as a low rank of r would train.
//   W'[i, j] = W[i, j] + s[i, j] at r (in + out) places
#include <ATen/TensorOperators.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/where.h>
#include <ATen/ops/zeros.h>

#include <espalier/peft/seeded.hpp>
#include <espalier/peft/sparse_weight.hpp>
#include <espalier/plugin/component.hpp>
#include <tuple>

namespace {

using espalier::Parameters;
using espalier::Site;

struct ShiraParams : espalier::TargetParams {
  ShiraParams() { target_modules = {"q", "v"}; }
  std::int64_t r = 32;
  std::int64_t random_seed = 0;
};

void bind(espalier::Schema<ShiraParams>& s) {
  bind_targets(s);
  s.field("r", &ShiraParams::r)
      .sizes()
      .range(1, 65536)
      .doc("Entries that are trained, over inputs and outputs of a map together")
      .source("Hugging Face PEFT");
  s.field("random_seed", &ShiraParams::random_seed)
      .min(0)
      .doc("Seed of the places, which the seed of a trial leaves alone");
  compared_by_peft(s, {{"lr", 3e-4}});
}

class Entries final : public espalier::SparseWeight {
 public:
  // `rows_and_columns` int32 [2, n].
  Entries(const Site& site, at::Tensor values, at::Tensor rows_and_columns)
      : SparseWeight(site, std::move(values)), rows_and_columns_(std::move(rows_and_columns)) {}

 private:
  [[nodiscard]] at::Tensor places() const override {
    const at::Tensor rows = rows_and_columns_[0].to(at::kLong);
    const at::Tensor columns = rows_and_columns_[1].to(at::kLong);
    const at::Tensor inside = (columns >= 0) & (columns < inputs());
    return at::where(inside, rows * inputs() + columns, -1);
  }

  at::Tensor rows_and_columns_;
};

class Shira final : public espalier::LinearMethod {
 public:
  using Params = ShiraParams;
  Shira(const Params& params, const espalier::RunContext&)
      : LinearMethod(params), params_(params) {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = config_of("SHIRA");
    config["r"] = params_.r;
    config["random_seed"] = params_.random_seed;
    config["mask_type"] = "random";
    return config;
  }
  [[nodiscard]] std::vector<Parameters::Entry> buffers() const override { return places_; }

 private:
  std::shared_ptr<espalier::MapChange> change(Site& site, Parameters& parameters,
                                              espalier::Random&) override {
    const std::int64_t in = inputs_of(site), out = outputs_of(site);
    const std::int64_t count = params_.r * (in + out);
    espalier::require_places("r * (inputs + outputs)", count, site);
    const at::Tensor values =
        parameters.add(site.name + ".shira_weight", at::zeros({count}, at::kFloat));
    const at::Tensor flat =
        std::get<0>(espalier::seeded_places(out, in, count, params_.random_seed).sort());
    const at::Tensor places =
        at::stack({flat.div(in, "floor"), flat.remainder(in)}).to(values.device(), at::kInt);
    places_.emplace_back(site.name + ".shira_indices", places);
    return std::make_shared<Entries>(site, values, places);
  }

  Params params_;
  std::vector<Parameters::Entry> places_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "shira", 1, Shira, "Trains a few entries of linear maps (Bhardwaj 2024)",
                   "needs_sites on_linear identity_at_init mergeable")
