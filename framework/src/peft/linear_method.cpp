#include <espalier/peft/linear_method.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <c10/core/GradMode.h>

#include <espalier/core/error.hpp>
#include <espalier/peft/adapter.hpp>

namespace espalier {
namespace {

at::Tensor in_float(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.detach().to(at::kFloat) : tensor;
}

}  // namespace

MapChange::~MapChange() = default;

void OutputChange::hook(Site& site) {
  site.hook_output(
      [self = shared_from_this()](const at::Tensor& x, const at::Tensor& y, const Mode& mode) {
        return self->output(x, y, mode);
      });
}

void InputChange::hook(Site& site) {
  site.hook_input([self = shared_from_this()](const at::Tensor& x, const Mode& mode) {
    return self->input(x, mode);
  });
}

at::Tensor AddedWeight::output(const at::Tensor& x, const at::Tensor& y, const Mode&) const {
  return y + at::linear(x, delta().to(x.scalar_type()));
}

LinearMap AddedWeight::folded(const LinearMap& frozen) const {
  return {frozen.weight + delta(), frozen.bias};
}

at::Tensor RotatedInput::input(const at::Tensor& x, const Mode&) const {
  return at::linear(x, rotation().to(x.scalar_type()));
}

LinearMap RotatedInput::folded(const LinearMap& frozen) const {
  return {at::matmul(frozen.weight, rotation()), frozen.bias};
}

void LinearMethod::begin(const AdaptableEncoder&, std::span<Site* const>, Parameters&, Random&) {}

void LinearMethod::attach(AdaptableEncoder& encoder, Parameters& parameters, Random& random) {
  const std::vector<Site*> sites = find_targets(encoder, SiteRole::linear, targets_);
  begin(encoder, sites, parameters, random);
  for (Site* site : sites) {
    changes_.emplace_back(site, change(*site, parameters, random));
    changes_.back().second->hook(*site);
  }
  train_whole(encoder, targets_, parameters);
}

void LinearMethod::merge(AdaptableEncoder& encoder) {
  const c10::NoGradGuard no_grad;
  std::vector<std::pair<Site*, LinearMap>> maps;
  for (const auto& [site, change] : changes_) {
    maps.emplace_back(site, change->folded({matrix_of(*site), in_float(site->bias)}));
  }
  put_maps(encoder, maps);
}

Json LinearMethod::config_of(std::string_view peft_type) const {
  std::vector<std::string> names;
  for (const auto& [site, change] : changes_) names.push_back(site->name);
  Json config = adapter_config_of(peft_type, std::move(names));
  if (!targets_.modules_to_save.empty()) config["modules_to_save"] = targets_.modules_to_save;
  return config;
}

void put_maps(AdaptableEncoder& encoder, const std::vector<std::pair<Site*, LinearMap>>& maps) {
  for (const auto& [site, map] : maps) {
    if (all_finite(map.weight) && (!map.bias.defined() || all_finite(map.bias))) continue;
    throw Error({.what = "the adapter holds NaN or infinity, so it cannot be merged",
                 .where = site->name,
                 .expected = "finite numbers",
                 .found = {},
                 .fix = "the encoder is as it was; train again with a lower train.lr"});
  }
  for (const auto& [site, map] : maps) {
    const auto type = site->weight.scalar_type();
    site->weight = map.weight.detach().to(type).view(site->weight.sizes());
    if (map.bias.defined()) site->bias = map.bias.detach().to(type);
    site->unhook();
  }
  for (const WeightSlot& weight : encoder.weights()) {
    if (weight.slot->requires_grad()) *weight.slot = weight.slot->detach();
  }
}

at::Tensor matrix_of(const Site& site) { return site.weight.detach().to(at::kFloat).flatten(1); }

}  // namespace espalier
