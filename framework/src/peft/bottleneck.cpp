#include <espalier/peft/bottleneck.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/zeros.h>

#include <cmath>
#include <espalier/nn/dropout.hpp>
#include <espalier/peft/adapter.hpp>

namespace espalier {
namespace {

constexpr double bert_deviation = 0.02;
constexpr double houlsby_deviation = 0.01;

// Normal, drawn again beyond two deviations.
at::Tensor truncated_normal(at::IntArrayRef sizes, double deviation, Random& random) {
  at::Tensor tensor = at::empty(sizes, at::kFloat);
  float* const values = tensor.data_ptr<float>();
  std::generate(values, values + tensor.numel(), [&] {
    double drawn = random.normal();
    while (std::abs(drawn) > 2) drawn = random.normal();
    return static_cast<float>(deviation * drawn);
  });
  return tensor;
}

struct BottleneckStart {
  at::Tensor down;
  at::Tensor up;
};

BottleneckStart bottleneck_start(const std::string& name, std::int64_t m, std::int64_t width,
                                 Random& random) {
  const std::int64_t down[] = {m, width}, up[] = {width, m};
  if (name == "bert") {
    return {normal_init(down, bert_deviation, random), normal_init(up, bert_deviation, random)};
  }
  if (name == "houlsby") {
    return {truncated_normal(down, houlsby_deviation, random),
            truncated_normal(up, houlsby_deviation, random)};
  }
  return {linear_init(down, random), at::zeros(up, at::kFloat)};
}

class Bottleneck {
 public:
  Bottleneck(std::string name, const BottleneckParams& params, std::int64_t width,
             Parameters& parameters, Random& random)
      : name_(std::move(name)),
        non_linearity_(params.non_linearity),
        scaling_(params.scaling),
        dropout_(params.dropout) {
    const std::int64_t reduced = std::max<std::int64_t>(width / params.reduction_factor, 1);
    const std::int64_t m = params.bottleneck > 0 ? params.bottleneck : reduced;
    const BottleneckStart start = bottleneck_start(params.init_weights, m, width, random);
    down_ = parameters.add(name_ + ".down.weight", start.down);
    down_bias_ = parameters.add(name_ + ".down.bias", at::zeros({m}, at::kFloat));
    up_ = parameters.add(name_ + ".up.weight", start.up);
    up_bias_ = parameters.add(name_ + ".up.bias", at::zeros({width}, at::kFloat));
  }

  // float32
  [[nodiscard]] at::Tensor operator()(const at::Tensor& x, const Mode& mode) const {
    const at::Tensor inner =
        activate(non_linearity_, at::linear(x.to(at::kFloat), down_, down_bias_));
    return at::linear(dropout(inner, dropout_, mode, name_), up_, up_bias_) * scaling_;
  }

 private:
  std::string name_;
  std::string non_linearity_;
  double scaling_;
  double dropout_;
  at::Tensor down_, down_bias_, up_, up_bias_;
};

}  // namespace

std::string BottleneckMethod::module_of(const Site& branch, const AdaptableEncoder& encoder) const {
  const std::string own = branch.part == "mlp" ? placing_.mlp_adapter : branch.part + "_adapter";
  return layer_of(branch, encoder) + "." + own;
}

void BottleneckMethod::attach(AdaptableEncoder& encoder, Parameters& parameters, Random& random) {
  for (Site* site : find_targets(encoder, SiteRole::branch, params_)) {
    const Tower& tower = site->tower == TowerKind::image
                             ? static_cast<const Tower&>(*encoder.image())
                             : *encoder.text();
    const Bottleneck adapter(module_of(*site, encoder), params_, tower.width(), parameters, random);
    site->hook_output([adapter, seen = placing_.seen](const at::Tensor& stream,
                                                      const at::Tensor& result, const Mode& mode) {
      return result + adapter(seen(stream, result), mode).to(result.scalar_type());
    });
    targets_.push_back(site->name);
  }
  train_whole(encoder, params_, parameters);
}

Json BottleneckMethod::adapter_config() const {
  return own_adapter_config(placing_.component, {{"towers", params_.towers},
                                                 {"target_modules", targets_},
                                                 {"modules_to_save", params_.modules_to_save},
                                                 {"bottleneck", params_.bottleneck},
                                                 {"reduction_factor", params_.reduction_factor},
                                                 {"non_linearity", params_.non_linearity},
                                                 {"scaling", number(params_.scaling)},
                                                 {"dropout", number(params_.dropout)}});
}

}  // namespace espalier
