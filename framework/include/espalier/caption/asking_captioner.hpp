// Captioners that ask somebody who need not say the same twice: a server, a person.
#pragma once

#include <cstdint>
#include <espalier/plugin/captioner.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace espalier {

// What became of the question for a caption.
enum class Answer {
  ok,
  truncated,      // the text ends where the room for it ended
  exhausted,      // the room ended before there was any text: spent on reasoning
  refused,        // the model would not describe the picture
  empty,          // an answer without a text
  thinking_leak,  // reasoning where the text should be
  malformed,      // no answer of the agreed form
  http_error,     // the server refused this picture
  dropped,        // there was a text, and a person or a rule took it away
};
[[nodiscard]] std::string_view to_string(Answer answer);
[[nodiscard]] std::optional<Answer> answer_named(std::string_view name);
// Whether there is a text to work with: ok and truncated.
[[nodiscard]] bool has_text(Answer answer);

struct AnsweredCaption {
  std::string text;    // UTF-8, empty where the answer has none
  std::string source;  // what produced it: a model, a file, a rule
  Answer answer = Answer::ok;
  std::string note = {};         // what was wrong with an answer that is not ok
  std::string model = {};        // as the server names it
  std::string fingerprint = {};  // of the model, where the server gives one
  std::int64_t prompt_tokens = 0;
  std::int64_t tokens = 0;  // of the answer, hidden reasoning included
  std::int64_t tries = 1;
};

// Declares the capability `recorded` and has a parameter `captions`, a path to content. Where that
// is empty, ask() is called once for each picture and its answers are written to a caption set,
// whose path is `captions` in trials; caption() then gives what is there.
class AskingCaptioner : public Captioner {
 public:
  ~AskingCaptioner() override;

  // May be called from several threads at once. Throws Error where further requests would fail as
  // well, and where `stopped` said so, which it looks at while it waits.
  [[nodiscard]] virtual AnsweredCaption ask(const CaptionRequest& request,
                                            const std::function<bool()>& stopped) const = 0;
  // How many are worth asking for at once.
  [[nodiscard]] virtual std::int64_t concurrency() const = 0;
};

}  // namespace espalier
