// A method attached to a recorded model, and what the model says then.
#pragma once

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <c10/core/GradMode.h>

#include <espalier/nn/named_tensors.hpp>
#include <espalier/nn/pretrained.hpp>
#include <espalier/plugin/peft.hpp>
#include <memory>
#include <string>

#include "nn/cases.hpp"
#include "plugins/plugin_support.hpp"

namespace espalier::testing_support {

struct Attached {
  Attached(const std::string& model, const std::string& use, const Json& params,
           std::int64_t seed = 1)
      : folder(cases::encoder_case(model)),
        encoder(load_pretrained(folder)),
        method(make<Peft>(use, params)) {
    Random random(seed, "peft");
    method->attach(*encoder, parameters, random);
  }

  // Moves every parameter off its start.
  void disturb() {
    const c10::NoGradGuard no_grad;
    Random random(std::uint64_t{5});
    for (at::Tensor& tensor : parameters.tensors()) {
      tensor.add_(normal_init(tensor.sizes(), 0.1, random));
    }
  }

  // All features of the recorded inputs, one behind the other.
  [[nodiscard]] at::Tensor features() const {
    const c10::NoGradGuard no_grad;
    const NamedTensors out =
        run_on_tensors(*encoder, read_named_tensors(folder / "expected.safetensors"), false);
    std::vector<at::Tensor> parts;
    for (const char* name : {"image_embeds_raw", "text_embeds_raw"}) {
      if (out.contains(name)) parts.push_back(out.at(name).flatten());
    }
    return at::cat(parts);
  }

  // What its adapter holds.
  [[nodiscard]] std::vector<Parameters::Entry> tensors() const {
    return method->adapter_tensors(parameters.entries());
  }

  std::filesystem::path folder;
  std::unique_ptr<AdaptableEncoder> encoder;
  std::shared_ptr<Peft> method;
  Parameters parameters;
};

}  // namespace espalier::testing_support
