#include <espalier/peft/linear_method.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/matmul.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/nn/dropout.hpp>
#include <espalier/peft/adapter.hpp>
#include <espalier/peft/weight_method.hpp>

#include "own_weight_internal.hpp"

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

at::Tensor InputDropout::operator()(const at::Tensor& x, const Mode& mode) const {
  return dropout(x, p, mode, site);
}

at::Tensor AddedWeight::output(const at::Tensor& x, const at::Tensor& y, const Mode& mode) const {
  return y + at::linear(dropout_(x, mode), delta().to(x.scalar_type()));
}

LinearMap AddedWeight::folded(const LinearMap& frozen) const {
  return {frozen.weight + delta(), frozen.bias};
}

at::Tensor AddedProduct::output(const at::Tensor& x, const at::Tensor& y, const Mode& mode) const {
  const Factors now = factors();
  const at::Tensor low = at::linear(dropout_(x, mode).to(at::kFloat), now.a);
  return y + at::linear(low, now.b).to(y.scalar_type());
}

LinearMap AddedProduct::folded(const LinearMap& frozen) const {
  const Factors now = factors();
  return {frozen.weight + at::matmul(now.b, now.a), frozen.bias};
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
  train_biases(encoder, sites, parameters);
  begin(encoder, sites, parameters, random);
  for (Site* site : sites) {
    changes_.emplace_back(site, change(*site, parameters, random));
    changes_.back().second->hook(*site);
  }
  train_whole(encoder, targets_, parameters);
}

// `all` trains those of the chosen maps under the same names as the choice of these alone.
void LinearMethod::train_biases(const AdaptableEncoder& encoder, std::span<Site* const> sites,
                                Parameters& parameters) const {
  if (bias_.empty() || bias_ == "none") return;
  for (Site* site : sites) {
    if (!site->bias.defined()) continue;
    require_float(site->name + ".bias", site->bias);
    site->bias = parameters.add(site->name + ".base_layer.bias", site->bias);
  }
  if (bias_ != "all") return;
  for (const WeightSlot& weight : encoder.weights()) {
    const bool taken = weight.slot->requires_grad();
    if (taken || !weight.name.ends_with(".bias") || !weight.place) continue;
    if (!chosen(targets_, weight.place->tower, weight.place->layer, encoder)) continue;
    require_float(weight.name, weight.frozen);
    *weight.slot = parameters.add(weight.name, weight.frozen);
  }
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
  if (!bias_.empty()) config["bias"] = bias_;
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

std::int64_t inputs_of(const Site& site) { return site.weight.numel() / site.weight.size(0); }

std::int64_t outputs_of(const Site& site) { return site.weight.size(0); }

MapSizes largest_of(std::span<Site* const> sites) {
  MapSizes most;
  for (const Site* site : sites) {
    most.inputs = std::max(most.inputs, inputs_of(*site));
    most.outputs = std::max(most.outputs, outputs_of(*site));
  }
  return most;
}

void require_rank(std::string_view key, std::int64_t rank, const Site& site) {
  const std::int64_t most = std::min(inputs_of(site), outputs_of(site));
  if (rank >= 1 && rank <= most) return;
  throw Error({.what = "peft." + std::string(key) + " is more than the width of a map",
               .where = site.name,
               .expected = "at most " + std::to_string(most),
               .found = std::to_string(rank),
               .fix = {}});
}

void require_divisor(std::string_view key, std::int64_t size, std::int64_t width,
                     const Site& site) {
  if (size >= 1 && width % size == 0) return;
  throw Error({.what = "peft." + std::string(key) + " does not divide the width of a map",
               .where = site.name,
               .expected = "a divisor of " + std::to_string(width),
               .found = std::to_string(size),
               .fix = {}});
}

void require_places(std::string_view key, std::int64_t count, const Site& site) {
  if (count >= 1 && count <= site.weight.numel()) return;
  throw Error({.what = "peft." + std::string(key) + " is more than a map has weights",
               .where = site.name,
               .expected = "at most " + std::to_string(site.weight.numel()),
               .found = std::to_string(count),
               .fix = {}});
}

std::int64_t rank_of(const ModulePattern& ranks, std::string_view key, const Site& site) {
  const auto rank = static_cast<std::int64_t>(ranks.of(site.name));
  require_rank(key, rank, site);
  return rank;
}

}  // namespace espalier
