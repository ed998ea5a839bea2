// What becomes of a request: an answer, another try, no caption of this picture, or of none.
#pragma once

#include <espalier/caption/asking_captioner.hpp>
#include <espalier/core/error.hpp>
#include <optional>
#include <string>

#include "http.hpp"

namespace espalier::openai {

[[nodiscard]] bool is_answer(const HttpAnswer& answer);
// Whether fewer requests at once would help.
[[nodiscard]] bool is_overloaded(const HttpAnswer& answer);
// Whether the same request may fare better later. Servers may say so themselves, as OpenAI does, in
// `x-should-retry`.
[[nodiscard]] bool is_worth_another_try(const HttpAnswer& answer);
// The server names a model or a path that it does not know.
[[nodiscard]] bool is_unknown(const HttpAnswer& answer);

// What came instead of an answer, in a line.
[[nodiscard]] std::string said(const HttpAnswer& answer);
// No caption of this picture.
[[nodiscard]] AnsweredCaption failed(const HttpAnswer& answer);

// Why no other picture would fare better either; nothing where one may. `key_env` is what the user
// named, `longest_wait` the seconds that a server may ask to wait. Of `where` and `expected` it
// says nothing.
[[nodiscard]] std::optional<Problem> end_of_all(const HttpAnswer& answer,
                                                const std::string& key_env, double longest_wait);

}  // namespace espalier::openai
