// RoAd (Liao and Monz 2024): the outputs of a map are rotated two by two, and stretched.
//   y'_i = a_i cos(t_i) y_i - a_i sin(t_i) y_j,  y'_j = a_j sin(t_j) y_i + a_j cos(t_j) y_j,
// with j half a group behind i. road_1 has one angle and stretch a pair, road_2 one an output,
// road_4 one for each of the four terms.
#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include <espalier/peft/linear_method.hpp>
#include <espalier/plugin/component.hpp>

namespace {

using espalier::LinearMap;
using espalier::Mode;
using espalier::Site;

struct RoadParams : espalier::TargetParams {
  RoadParams() { target_modules = {"q", "v"}; }
  std::string variant = "road_1";
  std::int64_t group_size = 64;
};

void bind(espalier::Schema<RoadParams>& s) {
  bind_targets(s);
  s.field("variant", &RoadParams::variant)
      .choices({"road_1", "road_2", "road_4"})
      .doc("Angles for each pair of outputs: one, one an output, or one a term")
      .source("Hugging Face PEFT");
  s.field("group_size", &RoadParams::group_size)
      .range(2, 65536)
      .doc("Outputs of which the first half is paired with the second")
      .source("Hugging Face PEFT");
  s.check("group_size % 2 == 0", "group_size is even: its halves are paired");
  compared_by_peft(s, {{"lr", 1e-3}});
}

class Rotations final : public espalier::OutputChange {
 public:
  Rotations(at::Tensor angles, at::Tensor stretches, const RoadParams& params)
      : angles_(std::move(angles)), stretches_(std::move(stretches)), params_(params) {}

  [[nodiscard]] at::Tensor output(const at::Tensor&, const at::Tensor& y,
                                  const Mode&) const override {
    return rotated(y.to(at::kFloat)).to(y.scalar_type());
  }
  [[nodiscard]] LinearMap folded(const LinearMap& frozen) const override {
    LinearMap map{rotated(frozen.weight.t()).t(), frozen.bias};
    if (map.bias.defined()) map.bias = rotated(map.bias.unsqueeze(0)).squeeze(0);
    return map;
  }

 private:
  // [..., outputs]
  [[nodiscard]] at::Tensor rotated(const at::Tensor& rows) const {
    const auto [kept, crossed] = terms();
    const at::Tensor pairs = rows.reshape({-1, 2, params_.group_size / 2});
    const at::Tensor partners =
        at::stack({-pairs.select(1, 1), pairs.select(1, 0)}, 1).reshape(rows.sizes());
    return rows * kept + partners * crossed;
  }

  // Factors of each output's own value and of its partner's.
  [[nodiscard]] std::pair<at::Tensor, at::Tensor> terms() const {
    const std::int64_t g = params_.group_size;
    if (params_.variant == "road_4") {
      const at::Tensor angles = angles_.view({-1, 2, g}), stretches = stretches_.view({-1, 2, g});
      return {(stretches.select(1, 0) * angles.select(1, 0).cos()).flatten(),
              (stretches.select(1, 1) * angles.select(1, 1).sin()).flatten()};
    }
    const auto spread = [&](const at::Tensor& values) {
      if (params_.variant == "road_2") return values;
      return values.view({-1, g / 2}).repeat_interleave(2, 0).flatten();
    };
    const at::Tensor angles = spread(angles_), stretches = spread(stretches_);
    return {stretches * angles.cos(), stretches * angles.sin()};
  }

  at::Tensor angles_;
  at::Tensor stretches_;
  RoadParams params_;
};

class Road final : public espalier::LinearMethod {
 public:
  using Params = RoadParams;
  Road(const Params& params, const espalier::RunContext&) : LinearMethod(params), params_(params) {}

  [[nodiscard]] espalier::Json adapter_config() const override {
    espalier::Json config = config_of("ROAD");
    config["variant"] = params_.variant;
    config["group_size"] = params_.group_size;
    return config;
  }

 private:
  std::shared_ptr<espalier::MapChange> change(Site& site, espalier::Parameters& parameters,
                                              espalier::Random&) override {
    const std::int64_t out = outputs_of(site);
    espalier::require_divisor("group_size", params_.group_size, out, site);
    const std::int64_t halves = params_.variant == "road_1"   ? 1
                                : params_.variant == "road_2" ? 2
                                                              : 4;
    const std::int64_t count = out / 2 * halves;
    const at::Tensor angles =
        parameters.add(site.name + ".road_theta", at::zeros({count}, at::kFloat));
    const at::Tensor stretches =
        parameters.add(site.name + ".road_alpha", at::ones({count}, at::kFloat));
    return std::make_shared<Rotations>(angles, stretches, params_);
  }

  Params params_;
};

}  // namespace

ESPALIER_COMPONENT(peft, "road", 1, Road, "Rotates the outputs of linear maps in pairs (Liao 2024)",
                   "needs_sites on_linear identity_at_init mergeable")
