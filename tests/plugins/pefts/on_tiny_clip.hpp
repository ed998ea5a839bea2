// A method that learns what classes are told, attached to the tiny CLIP with three classes.
#pragma once

#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>

#include <espalier/nn/pretrained.hpp>
#include <espalier/plugin/peft.hpp>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "nn/cases.hpp"
#include "plugins/plugin_support.hpp"

namespace espalier::testing_support {

inline constexpr std::int64_t start_token = 997, end_token = 998;

// A word is a token of the tiny CLIP's; `long` is two.
inline std::vector<std::int64_t> word_tokens(const std::string& text) {
  std::vector<std::int64_t> ids = {start_token};
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    ids.push_back(static_cast<std::int64_t>(word.size()) + word.front());
    if (word == "long") ids.push_back(7);
  }
  ids.push_back(end_token);
  return ids;
}

inline MethodInput class_input(const Peft& method, const std::vector<std::string>& names) {
  MethodInput input;
  for (const std::string& name : names) {
    std::string text = method.class_template();
    text.replace(text.find("{}"), 2, name);
    input.class_tokens.push_back({word_tokens(text)});
  }
  input.tokens = word_tokens;
  return input;
}

struct OnTinyClip {
  OnTinyClip(const std::string& use, const Json& params)
      : encoder(load_pretrained(cases::encoder_case("clip-tiny-gelu"))),
        method(make<Peft>(use, params)),
        input(class_input(*method, {"rose", "tulip", "daisy"})) {
    Random random(1, "peft");
    method->prepare(input);
    method->attach(*encoder, parameters, random);
  }

  // Of the texts of these classes.
  [[nodiscard]] at::Tensor features(const std::vector<std::int64_t>& classes,
                                    const Mode& mode) const {
    std::vector<at::Tensor> rows;
    for (const std::int64_t label : classes) {
      rows.push_back(
          at::tensor(input.class_tokens[static_cast<std::size_t>(label)].at(0), at::kLong));
    }
    return forward(*encoder->text(), {at::stack(rows), {}, {}}, mode).feature;
  }
  [[nodiscard]] at::Tensor of_classes(const std::vector<std::int64_t>& classes) const {
    Mode mode;
    mode.classes = classes;
    return features(classes, mode);
  }

  std::unique_ptr<AdaptableEncoder> encoder;
  std::shared_ptr<Peft> method;
  MethodInput input;
  Parameters parameters;
};

}  // namespace espalier::testing_support
