// A method attached to a small CLIP.
#pragma once

#include <espalier/nn/pretrained.hpp>
#include <espalier/plugin/peft.hpp>
#include <memory>
#include <string>

#include "nn/cases.hpp"
#include "plugins/plugin_support.hpp"

namespace espalier::testing_support {

struct AttachedMethod {
  AttachedMethod(const std::string& name, const Json& params)
      : encoder(load_pretrained(cases::encoder_case("clip-tiny-gelu"))),
        method(make<Peft>(name, params)) {
    Random random(1, "init");
    method->attach(*encoder, parameters, random);
  }
  // What its adapter holds.
  [[nodiscard]] std::vector<Parameters::Entry> tensors() const {
    return method->adapter_tensors(parameters.entries());
  }

  std::unique_ptr<AdaptableEncoder> encoder;
  std::shared_ptr<Peft> method;
  Parameters parameters;
};

}  // namespace espalier::testing_support
