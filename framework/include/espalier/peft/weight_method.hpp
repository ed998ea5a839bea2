// Methods that train some of an encoder's own weights, and add none: BitFit, norms, all of them.
#pragma once

#include <espalier/peft/targets.hpp>
#include <espalier/plugin/peft.hpp>
#include <string>
#include <utility>
#include <vector>

namespace espalier {

class WeightMethod : public Peft {
 public:
  // Puts parameters into the weights of the chosen layers, under their names. Throws Error where
  // one of them is not stored in float32, and as require_layers().
  void attach(AdaptableEncoder& encoder, Parameters& parameters, Random& random) final;
  void merge(AdaptableEncoder& encoder) final;

 protected:
  explicit WeightMethod(LayerParams layers) : layers_(std::move(layers)) {}

  // Before the first trains().
  virtual void begin(const AdaptableEncoder& encoder, Parameters& parameters);
  [[nodiscard]] virtual bool trains(const WeightSlot& weight) const = 0;
  // adapter_config.json of a method that PEFT does not know, once attached.
  [[nodiscard]] Json config_of(std::string_view component) const;
  // What its parameter is called, and how it learns.
  [[nodiscard]] virtual std::string name_of(const WeightSlot& weight) const { return weight.name; }
  [[nodiscard]] virtual ParameterRates rates_of(const WeightSlot& weight,
                                                const AdaptableEncoder& encoder) const;

 private:
  LayerParams layers_;
  bool images_ = false;  // whether weights of the tower are trained
  bool texts_ = false;
};

}  // namespace espalier
