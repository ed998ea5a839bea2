#include "results/member_texts.hpp"

#include <algorithm>
#include <cstddef>

namespace espalier {
namespace {

constexpr std::size_t none = std::string_view::npos;

// Behind the closing quote of the string whose opening one is at `at`.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size(); ++at) {
    if (text[at] == '"') return at + 1;
    if (text[at] == '\\') ++at;
  }
  return none;
}

// Behind the value that begins at `at`.
std::size_t end_of_value(std::string_view text, std::size_t at) {
  std::size_t depth = 0;
  while (at < text.size()) {
    const char c = text[at];
    if (c == '"') {
      at = end_of_string(text, at);
      continue;
    }
    if (depth == 0 && (c == ',' || c == '}')) return at;
    if (c == '{' || c == '[') ++depth;
    if ((c == '}' || c == ']') && (depth == 0 || --depth == 0)) return at + 1;
    ++at;
  }
  return none;
}

}  // namespace

MemberTexts member_texts(std::string_view object) {
  if (object.size() < 2 || object.front() != '{' || object.back() != '}') return {};
  MemberTexts members;
  for (std::size_t at = 1; at < object.size() && object[at] == '"'; ++at) {
    const std::size_t colon = end_of_string(object, at);
    if (colon >= object.size() || object[colon] != ':') return {};
    if (object.substr(at, colon - at).find('\\') != none) return {};
    const std::size_t end = end_of_value(object, colon + 1);
    if (end >= object.size()) return {};
    members.emplace_back(object.substr(at + 1, colon - at - 2),
                         object.substr(colon + 1, end - colon - 1));
    if (object[end] == '}') return end + 1 == object.size() ? members : MemberTexts();
    if (object[end] != ',') return {};
    at = end;
  }
  return {};
}

}  // namespace espalier
