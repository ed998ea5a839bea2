#include <espalier/peft/weight_method.hpp>

#include <espalier/core/error.hpp>
#include <espalier/peft/adapter.hpp>

#include "own_weight_internal.hpp"

namespace espalier {

void require_float(const std::string& name, const at::Tensor& weight) {
  if (weight.scalar_type() == at::kFloat) return;
  throw Error({.what = "a weight of the encoder cannot be trained as it is stored",
               .where = name,
               .expected = "float32",
               .found = c10::toString(weight.scalar_type()),
               .fix = "encoder.precision=float32"});
}

void WeightMethod::begin(const AdaptableEncoder&, Parameters&) {}

ParameterRates WeightMethod::rates_of(const WeightSlot&, const AdaptableEncoder&) const {
  return {};
}

void WeightMethod::attach(AdaptableEncoder& encoder, Parameters& parameters, Random&) {
  require_layers(layers_, encoder);
  begin(encoder, parameters);
  for (const WeightSlot& weight : encoder.weights()) {
    if (!weight.place || !chosen(layers_, weight.place->tower, weight.place->layer, encoder)) {
      continue;
    }
    if (!trains(weight)) continue;
    require_float(weight.name, weight.frozen);
    *weight.slot = parameters.add(name_of(weight), weight.frozen, rates_of(weight, encoder));
    (weight.place->tower == TowerKind::image ? images_ : texts_) = true;
  }
}

Json WeightMethod::config_of(std::string_view component) const {
  return own_adapter_config(component,
                            {{"towers", images_ && texts_ ? "both" : (images_ ? "image" : "text")},
                             {"layers_to_transform", layers_.layers_to_transform},
                             {"top_layers", layers_.top_layers}});
}

void WeightMethod::merge(AdaptableEncoder& encoder) {
  for (const WeightSlot& weight : encoder.weights()) {
    if (weight.slot->requires_grad()) *weight.slot = weight.slot->detach();
  }
}

}  // namespace espalier
