// What a model is asked, without ever being told what a picture shows.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "params.hpp"

namespace espalier::openai {

struct Question {
  std::string text;
  bool with_picture = true;
  bool as_json = false;  // the answer is an object of parts
};

// The question about each picture. `random` is asked without the picture, of the number that
// belongs to its id. Throws Error where the file of a prompt cannot be read or holds no text.
class Prompt {
 public:
  explicit Prompt(const Params& params);

  [[nodiscard]] Question about(std::string_view id) const;
  // `plain`, or of a file the first digits of its hash.
  [[nodiscard]] const std::string& name() const noexcept { return name_; }

 private:
  std::string text_;
  std::string name_;
  bool random_;
  bool as_json_;
};

// One line of an answer in parts, `shape: round; colours: red`; empty where it is no JSON object of
// texts, numbers and lists of these. Fences of Markdown around it are passed over.
[[nodiscard]] std::optional<std::string> parts_in_words(std::string_view answer);

}  // namespace espalier::openai
