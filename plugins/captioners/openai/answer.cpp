#include "answer.hpp"

#include <algorithm>
#include <espalier/caption/caption_set.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/words.hpp>
#include <optional>

namespace espalier::openai {
namespace {

constexpr std::string_view white = " \t\r\n";
constexpr std::string_view thinking = "<think>";
constexpr std::string_view thought = "</think>";
constexpr std::size_t longest_note = 500;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(white);
  if (first == text.npos) return {};
  return text.substr(first, text.find_last_not_of(white) - first + 1);
}

std::string one_line(std::string_view text) {
  std::string line;
  for (const char c : trimmed(text)) {
    const bool space = white.find(c) != white.npos;
    if (!space) {
      line += c;
    } else if (line.back() != ' ') {
      line += ' ';
    }
  }
  return line;
}

// Cut between characters.
std::string beginning(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return std::string(text);
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) --bytes;
  return std::string(text.substr(0, bytes)) + "...";
}

std::string note_of(std::string_view text) { return beginning(one_line(text), longest_note); }

std::string text_in(const Json& object, const char* key) {
  if (!object.is_object()) return {};
  const auto found = object.find(key);
  if (found == object.end()) return {};
  if (found->is_string()) return found->get<std::string>();
  return found->is_number_integer() ? found->dump() : "";
}

std::int64_t count_in(const Json& object, const char* key) {
  if (!object.is_object()) return 0;
  const auto found = object.find(key);
  const bool count =
      found != object.end() && found->is_number_integer() && *found >= 0 && *found <= largest_exact;
  return count ? found->get<std::int64_t>() : 0;
}

// A text, or a list of parts of which the texts count.
std::optional<std::string> content_of(const Json& message) {
  const auto content = message.find("content");
  if (content == message.end() || content->is_null()) return "";
  if (content->is_string()) return content->get<std::string>();
  if (!content->is_array()) return std::nullopt;
  std::string text;
  for (const Json& part : *content) text += text_in(part, "text");
  return text;
}

// Servers whose template opens the reasoning give only its end.
std::string_view without_thinking(std::string_view text, bool& leaks) {
  text = trimmed(text);
  const std::size_t end = text.find(thought);
  const std::size_t begin = text.find(thinking);
  if (end != text.npos && (begin == text.npos || begin == 0)) {
    text = trimmed(text.substr(end + thought.size()));
  }
  leaks = text.find(thinking) != text.npos || text.find(thought) != text.npos;
  return text;
}

bool is_apology(std::string_view text) {
  constexpr std::string_view openings[] = {
      "i'm sorry",  "i am sorry",  "sorry,",         "i cannot",        "i can't", "i can\u2019t",
      "i'm unable", "i am unable", "i\u2019m sorry", "i\u2019m unable", "as an ai"};
  std::string start(text.substr(0, 24));
  std::transform(start.begin(), start.end(), start.begin(), [](unsigned char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : static_cast<char>(c);
  });
  return std::any_of(std::begin(openings), std::end(openings),
                     [&](std::string_view opening) { return start.starts_with(opening); });
}

void set(AnsweredCaption& caption, Answer answer, std::string_view note) {
  caption.answer = answer;
  caption.note = note_of(note);
}

void classify(AnsweredCaption& caption, const Json& message, const std::string& finish) {
  const std::optional<std::string> content = content_of(message);
  if (!content) return set(caption, Answer::malformed, "the content is no text");
  const std::string refusal = text_in(message, "refusal");
  if (!refusal.empty() || finish == "content_filter") {
    return set(caption, Answer::refused, refusal.empty() ? "content_filter" : refusal);
  }
  bool leaks = false;
  const std::string_view text = without_thinking(*content, leaks);
  const bool cut = finish == "length";
  if (leaks) return set(caption, cut ? Answer::exhausted : Answer::thinking_leak, text);
  if (text.empty()) {
    const std::string reasoning =
        text_in(message, "reasoning_content") + text_in(message, "reasoning");
    return set(caption, cut ? Answer::exhausted : Answer::empty, reasoning);
  }
  if (text.find('\0') != text.npos || text.size() > longest_caption) {
    return set(caption, Answer::malformed, "a text with a NUL or of more than 8192 bytes");
  }
  if (is_apology(text)) return set(caption, Answer::refused, text);
  caption.text = one_line(text);
  caption.answer = cut ? Answer::truncated : Answer::ok;
}

void read_object(AnsweredCaption& caption, const Json& answer) {
  caption.model = text_in(answer, "model").substr(0, longest_note);
  caption.fingerprint = text_in(answer, "system_fingerprint").substr(0, longest_note);
  if (answer.contains("usage")) {
    caption.prompt_tokens = count_in(answer["usage"], "prompt_tokens");
    caption.tokens = count_in(answer["usage"], "completion_tokens");
  }
  const Json choices = answer.value("choices", Json());
  const Json first = choices.is_array() && !choices.empty() ? choices[0] : Json();
  const Json message = first.is_object() ? first.value("message", Json()) : Json();
  if (message.is_object()) return classify(caption, message, text_in(first, "finish_reason"));
  const std::string fault = answer.contains("error") ? read_fault(answer.dump()).message : "";
  set(caption, Answer::malformed, fault.empty() ? "the answer has no message" : fault);
}

}  // namespace

AnsweredCaption read_answer(std::string_view body) {
  AnsweredCaption caption;
  try {
    const Json answer = parse_json(body, "the answer");
    if (answer.is_object()) {
      read_object(caption, answer);
    } else {
      set(caption, Answer::malformed, "the answer is no object");
    }
  } catch (const Error& error) {
    set(caption, Answer::malformed,
        error.problems().front().what + ": " +
            (is_utf8(body) ? beginning(body, 100) : "not UTF-8"));
  }
  return caption;
}

ServerFault read_fault(std::string_view body) try {
  const Json answer = parse_json(body, "the answer");
  if (!answer.is_object()) return {.message = note_of(body), .param = {}, .code = {}};
  const Json error = answer.value("error", Json());
  const Json& inner = error.is_object() ? error : answer;
  std::string message = error.is_string() ? error.get<std::string>() : text_in(inner, "message");
  if (message.empty()) message = text_in(inner, "detail");
  if (message.empty()) message = answer.dump();
  return {.message = note_of(message),
          .param = text_in(inner, "param"),
          .code = text_in(inner, "code")};
} catch (const Error&) {
  return {.message = is_utf8(body) ? note_of(body) : "not UTF-8", .param = {}, .code = {}};
}

}  // namespace espalier::openai
