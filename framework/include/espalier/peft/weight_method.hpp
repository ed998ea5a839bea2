// Methods that train some of an encoder's own weights, and add none: BitFit, norms, all of them.
#pragma once

#include <espalier/peft/targets.hpp>
#include <espalier/plugin/peft.hpp>

namespace espalier {

class WeightMethod : public Peft {
 public:
  // Puts parameters into the weights of the chosen layers, under their names. Throws Error where
  // one of them is not stored in float32, and as require_layers().
  void attach(AdaptableEncoder& encoder, Parameters& parameters, Random& random) final;
  void merge(AdaptableEncoder& encoder) final;

 protected:
  explicit WeightMethod(LayerParams layers) : layers_(std::move(layers)) {}

  [[nodiscard]] virtual bool trains(const WeightSlot& weight) const = 0;
  // What its parameter is called, and how it learns.
  [[nodiscard]] virtual std::string name_of(const WeightSlot& weight) const { return weight.name; }
  [[nodiscard]] virtual ParameterRates rates_of(const WeightSlot& weight) const;

 private:
  LayerParams layers_;
};

}  // namespace espalier
