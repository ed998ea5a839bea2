#include "prompts.hpp"

#include <espalier/core/builtin.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/hash.hpp>
#include <espalier/core/json.hpp>
#include <map>

namespace espalier::openai {
namespace {

constexpr std::size_t longest_prompt = 64 << 10;

constexpr std::string_view plain_prompt =
    "Describe only what can be seen in this {subject}, in at most {words} words of plain text: "
    "shape, parts, colours, markings, texture, posture, and what it stands in or lies on. Do not "
    "say which breed, species, variety or dish it is, and do not guess. Begin with the description "
    "itself and write nothing else.";
constexpr std::string_view attributes_prompt =
    "Look at this {subject} and answer with one JSON object and nothing else. Its keys are shape, "
    "parts, colours, markings, texture, surroundings; each value is a short text about what can be "
    "seen, and all values together have at most {words} words. Do not say which breed, species, "
    "variety or dish it is, and do not guess.";
constexpr std::string_view name_prompt =
    "Which breed, species, variety or dish does this {subject} show? Give its name and what in the "
    "picture tells so, in at most {words} words of plain text. Write nothing else.";
constexpr std::string_view random_prompt =
    "Write {words} unrelated English words, separated by spaces, and nothing else. Let the number "
    "{number} decide which.";

void replace_all(std::string& text, std::string_view word, std::string_view by) {
  for (std::size_t at = text.find(word); at != std::string::npos;
       at = text.find(word, at + by.size())) {
    text.replace(at, word.size(), by);
  }
}

std::string file_text(const Params& params) {
  const std::filesystem::path file = resolve_path(params.prompt_file.text);
  std::string text = params.prompt_file.text.empty() ? "" : read_file(file, longest_prompt);
  if (text.find_first_not_of(" \t\r\n") != std::string::npos && is_utf8(text)) return text;
  throw Error({.what = "a prompt holds no text",
               .where = params.prompt_file.text.empty() ? "captioner.prompt_file" : file.string(),
               .expected = "a file with a question in UTF-8",
               .found = params.prompt_file.text.empty() ? "no file" : "",
               .fix = {}});
}

std::string text_of(const Params& params) {
  if (params.prompt == "file") return file_text(params);
  static const std::map<std::string_view, std::string_view> own = {
      {"plain", plain_prompt},
      {"attributes", attributes_prompt},
      {"name", name_prompt},
      {"random", random_prompt}};
  return std::string(own.at(params.prompt));
}

// Of a value that is a text, a number or a list of these.
std::optional<std::string> in_words(const Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number() || value.is_boolean()) return value.dump();
  if (!value.is_array()) return std::nullopt;
  std::string text;
  for (const Json& item : value) {
    if (!item.is_string() && !item.is_number()) return std::nullopt;
    text += (text.empty() ? "" : ", ") + *in_words(item);
  }
  return text;
}

std::string_view without_fences(std::string_view text) {
  const std::size_t open = text.find('{'), close = text.rfind('}');
  const bool fenced = text.starts_with("```") && text.ends_with("```");
  if (!fenced || open == text.npos || close == text.npos || close < open) return text;
  return text.substr(open, close - open + 1);
}

}  // namespace

Prompt::Prompt(const Params& params)
    : text_(text_of(params)),
      name_(params.prompt == "file" ? "file " + hex(sha256(text_)).substr(0, 12) : params.prompt),
      random_(params.prompt == "random"),
      as_json_(params.prompt == "attributes") {
  replace_all(text_, "{words}", std::to_string(params.words));
  replace_all(text_, "{subject}", params.subject);
}

Question Prompt::about(std::string_view id) const {
  Question question{.text = text_, .with_picture = !random_, .as_json = as_json_};
  if (!random_) return question;
  const Digest digest = sha256(id);
  const unsigned number = digest[0] << 16U | digest[1] << 8U | digest[2];
  replace_all(question.text, "{number}", std::to_string(number));
  return question;
}

std::optional<std::string> parts_in_words(std::string_view answer) try {
  const Json parts = parse_json(without_fences(answer), "answer");
  if (!parts.is_object() || parts.empty()) return std::nullopt;
  std::string text;
  for (const auto& [name, value] : parts.items()) {
    const std::optional<std::string> words = in_words(value);
    if (!words) return std::nullopt;
    if (!words->empty()) text += (text.empty() ? "" : "; ") + name + ": " + *words;
  }
  return text;
} catch (const Error&) {
  return std::nullopt;
}

}  // namespace espalier::openai
