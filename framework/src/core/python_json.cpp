#include <algorithm>
#include <espalier/core/python_json.hpp>
#include <string>

namespace espalier {
namespace {

// Python's names of what is no number in JSON, the longest first.
constexpr std::string_view python_names[] = {"-Infinity", "Infinity", "NaN"};

// Where the string that begins at `at` ends; the end of the text where it does not.
std::size_t end_of_string(std::string_view text, std::size_t at) {
  for (++at; at < text.size() && text[at] != '"'; ++at) {
    if (text[at] == '\\') ++at;
  }
  return std::min(at + 1, text.size());
}

std::string_view python_name_at(std::string_view text, std::size_t at) {
  for (const std::string_view name : python_names) {
    if (text.substr(at).starts_with(name)) return name;
  }
  return {};
}

// Python's names in quotes.
std::string with_quoted_names(std::string_view text) {
  std::string out;
  for (std::size_t at = 0; at < text.size();) {
    const std::string_view name = python_name_at(text, at);
    const std::size_t end =
        text[at] == '"' ? end_of_string(text, at) : at + std::max<std::size_t>(name.size(), 1);
    if (!name.empty()) out.push_back('"');
    out.append(text.substr(at, end - at));
    if (!name.empty()) out.push_back('"');
    at = end;
  }
  return out;
}

}  // namespace

Json parse_python_json(std::string_view text, std::string_view origin, const JsonLimits& limits) {
  constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
  const bool named = text.find("NaN") != text.npos || text.find("Infinity") != text.npos;
  return named ? parse_json(with_quoted_names(text), origin, limits)
               : parse_json(text, origin, limits);
}

}  // namespace espalier
