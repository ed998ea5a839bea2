// Kind `peft`: attaches trainable parameters to the named sites of a frozen encoder.
#pragma once

#include <espalier/core/random.hpp>
#include <espalier/nn/parameters.hpp>
#include <espalier/tensor/tensor.hpp>
#include <string_view>

namespace espalier {

class AdaptableEncoder;

// Capabilities: `needs_sites` (the encoder must have them), `identity_at_init`, `mergeable`.
class Peft {
 public:
  using Interface = Peft;
  static constexpr std::string_view kind = "peft";

  virtual ~Peft();

  // Adds its parameters and hooks itself onto the sites. `encoder` is null where there are none.
  virtual void attach(AdaptableEncoder* encoder, Parameters& parameters, Random& random) = 0;
};

}  // namespace espalier
