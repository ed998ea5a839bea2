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
  train_whole(encoder, parameters);
}

void LinearMethod::train_whole(const AdaptableEncoder& encoder, Parameters& parameters) const {
  for (const std::string& module : targets_.modules_to_save) {
    const std::size_t before = parameters.entries().size();
    for (const WeightSlot& weight : encoder.weights()) {
      const std::string path = weight.name.substr(0, weight.name.rfind('.'));
      if (path != module && !path.ends_with("." + module)) continue;
      *weight.slot = parameters.add(weight.name, weight.frozen);
    }
    if (parameters.entries().size() > before) continue;
    throw Error({.what = "peft.modules_to_save names a module that the encoder has not",
                 .where = {},
                 .expected = "the name of a module with weights, or the end of it behind a dot",
                 .found = module,
                 .fix = {}});
  }
}

void LinearMethod::merge(AdaptableEncoder& encoder) {
  const c10::NoGradGuard no_grad;
  std::vector<LinearMap> maps;
  for (const auto& [site, change] : changes_) {
    maps.push_back(change->folded({matrix_of(*site), in_float(site->bias)}));
    const LinearMap& map = maps.back();
    if (all_finite(map.weight) && (!map.bias.defined() || all_finite(map.bias))) continue;
    throw Error({.what = "the adapter holds NaN or infinity, so it cannot be merged",
                 .where = site->name,
                 .expected = "finite numbers",
                 .found = {},
                 .fix = "the encoder is as it was; train again with a lower train.lr"});
  }
  for (std::size_t i = 0; i < maps.size(); ++i) {
    Site& site = *changes_[i].first;
    const auto type = site.weight.scalar_type();
    site.weight = maps[i].weight.detach().to(type).view(site.weight.sizes());
    if (maps[i].bias.defined()) site.bias = maps[i].bias.detach().to(type);
    site.unhook();
  }
  for (const WeightSlot& weight : encoder.weights()) {
    if (weight.slot->requires_grad()) *weight.slot = weight.slot->detach();
  }
}

Json LinearMethod::config_of(std::string_view peft_type) const {
  std::vector<std::string> names;
  for (const auto& [site, change] : changes_) names.push_back(site->name);
  Json config = adapter_config_of(peft_type, std::move(names));
  if (!targets_.modules_to_save.empty()) config["modules_to_save"] = targets_.modules_to_save;
  return config;
}

at::Tensor matrix_of(const Site& site) { return site.weight.detach().to(at::kFloat).flatten(1); }

}  // namespace espalier
