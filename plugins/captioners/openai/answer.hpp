// What a server's answer says. Bytes may be hostile.
#pragma once

#include <espalier/caption/asking_captioner.hpp>
#include <espalier/core/json.hpp>
#include <string>
#include <string_view>

namespace espalier::openai {

// Of a body that came with status 200. The text is one line without the reasoning before it, and
// without a text the class says why; reasoning in members of its own is never the caption. `source`
// is left to whoever asked.
//   finish_reason `length`: truncated, or exhausted where nothing but reasoning came
//   `refusal`, finish_reason `content_filter`, an apology in the place of a description: refused
//   a <think> that is not closed: thinking_leak
//   what is no such answer, holds a NUL or is longer than 8192 bytes: malformed
[[nodiscard]] AnsweredCaption read_answer(std::string_view body);

// Of a body that came with another status: {"error": {"message", "param", "code"}}, the same
// without the outer object, {"error": "text"}, {"detail": "text"}, or the beginning of whatever it
// is.
struct ServerFault {
  std::string message;
  std::string param;
  std::string code;
};
[[nodiscard]] ServerFault read_fault(std::string_view body);

}  // namespace espalier::openai
