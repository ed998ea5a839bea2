#include "value_internal.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <espalier/core/error.hpp>
#include <optional>
#include <utility>

namespace espalier {
namespace {

constexpr int deepest_value = 16;

bool digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return '0' <= c && c <= '9'; });
}

bool looks_like_a_number(std::string_view text) {
  const std::size_t e = text.find_first_of("eE");
  std::string_view mantissa = text.substr(0, e);
  if (e != std::string_view::npos) {
    std::string_view exponent = text.substr(e + 1);
    if (!exponent.empty() && (exponent[0] == '+' || exponent[0] == '-')) exponent.remove_prefix(1);
    if (!digits(exponent)) return false;
  }
  const std::size_t dot = mantissa.find('.');
  if (dot == std::string_view::npos) return digits(mantissa);
  const std::string_view whole = mantissa.substr(0, dot);
  const std::string_view part = mantissa.substr(dot + 1);
  return (whole.empty() || digits(whole)) && (part.empty() || digits(part)) &&
         !(whole.empty() && part.empty());
}

// 1_000 is 1000.
std::string without_underscores(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool inside = i > 0 && i + 1 < text.size() && digits(text.substr(i - 1, 1)) &&
                        digits(text.substr(i + 1, 1));
    if (text[i] != '_' || !inside) out.push_back(text[i]);
  }
  return out;
}

std::optional<Json> number_in(std::string_view written) {
  const std::string without = without_underscores(written);
  std::string_view text = without;
  const bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  if (!looks_like_a_number(text)) return {};
  std::int64_t whole = 0;
  const char* const end = text.data() + text.size();
  if (const auto got = std::from_chars(text.data(), end, whole);
      got.ec == std::errc() && got.ptr == end) {
    return negative ? -whole : whole;
  }
  if (digits(text)) return {};  // larger than any number that has a name of its own
  double value = 0;
  if (std::from_chars(text.data(), end, value).ec != std::errc()) return {};
  return negative ? -value : value;
}

std::string_view without_spaces(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

class ValueParser {
 public:
  ValueParser(std::string_view text, const std::string& where) : text_(text), where_(where) {}

  ParsedValue parse() {
    ParsedValue parsed;
    if (without_spaces(text_).empty()) return {{""}, false};
    do {
      skip_space();
      if (const std::string name = function_name(); !name.empty()) {
        parsed.axis = true;
        for (Json& value : call_function(name, arguments(), where_)) {
          parsed.values.push_back(std::move(value));
        }
      } else {
        parsed.values.push_back(element(","));
      }
      skip_space();
    } while (take(','));
    if (at_ < text_.size()) fail("a comma or the end");
    parsed.axis = parsed.axis || parsed.values.size() > 1;
    return parsed;
  }

 private:
  [[noreturn]] void fail(std::string expected, std::string fix = {}) const {
    const std::string rest(text_.substr(at_, 20));
    throw Error({.what = "a value cannot be read",
                 .where = where_,
                 .expected = std::move(expected),
                 .found = (rest.empty() ? "the end" : "\"" + rest + "\"") + " at column " +
                          std::to_string(at_ + 1) + " of: " + std::string(text_.substr(0, 200)),
                 .fix = std::move(fix)});
  }

  void skip_space() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\t')) ++at_;
  }

  bool take(char c) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  // NAME where `NAME(` comes next, else nothing; stands behind the bracket then.
  std::string function_name() {
    std::size_t end = at_;
    while (end < text_.size() && (('a' <= text_[end] && text_[end] <= 'z') || text_[end] == '_')) {
      ++end;
    }
    if (end == at_ || end == text_.size() || text_[end] != '(') return {};
    std::string name(text_.substr(at_, end - at_));
    if (!is_function(text_.substr(at_))) {
      fail("one of the functions choice, glob, range", "put a text with brackets in quotes");
    }
    at_ = end + 1;
    return name;
  }

  // Ends before one of `stops`, or at the end of the text.
  Json element(std::string_view stops) {
    skip_space();
    if (at_ == text_.size()) fail("a value");
    const char c = text_[at_];
    if (c == '\'' || c == '"') return quoted();
    if (c == '[') return list();
    if (c == '{') return dictionary();
    const auto [text, escaped] = word(stops);
    if (text.empty()) fail("a value");
    return escaped ? Json(text) : plain_value(text);
  }

  std::pair<std::string, bool> word(std::string_view stops) {
    std::string text;
    bool escaped = false;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (stops.find(c) != std::string_view::npos) break;
      if (c == '\\' && at_ + 1 < text_.size() &&
          std::string_view("\\()[]{}:=, \t").find(text_[at_ + 1]) != std::string_view::npos) {
        escaped = true;
        text.push_back(text_[++at_]);
        continue;
      }
      if (std::string_view("()[]{}'\"").find(c) != std::string_view::npos ||
          text_.substr(at_, 2) == "${") {
        fail("a word without brackets and quotation marks", "put the text in quotes");
      }
      text.push_back(c);
    }
    return escaped ? std::pair(text, true) : std::pair(std::string(without_spaces(text)), false);
  }

  Json quoted() {
    const char quote = text_[at_++];
    std::string text;
    while (at_ < text_.size() && text_[at_] != quote) {
      const bool escape = text_[at_] == '\\' && at_ + 1 < text_.size() &&
                          (text_[at_ + 1] == quote || text_[at_ + 1] == '\\');
      if (escape) ++at_;
      text.push_back(text_[at_++]);
    }
    if (at_ == text_.size()) fail("a closing quotation mark");
    ++at_;
    return text;
  }

  Json list() {
    if (++depth_ > deepest_value) fail("at most 16 levels");
    ++at_;
    Json items = Json::array();
    while (!take(']')) {
      if (!items.empty() && !take(',')) fail("a comma or \"]\"");
      items.push_back(element(",]"));
    }
    --depth_;
    return items;
  }

  Json dictionary() {
    if (++depth_ > deepest_value) fail("at most 16 levels");
    ++at_;
    Json object = Json::object();
    while (!take('}')) {
      if (!object.empty() && !take(',')) fail("a comma or \"}\"");
      skip_space();
      const bool in_quotes = at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"');
      const std::string key = in_quotes ? quoted().get<std::string>() : word(":,}").first;
      if (key.empty() || object.contains(key)) fail("a key that is not there yet");
      if (!take(':')) fail("\":\" after the key");
      object[key] = element(",}");
    }
    --depth_;
    return object;
  }

  std::vector<FunctionArgument> arguments() {
    std::vector<FunctionArgument> found;
    while (!take(')')) {
      if (!found.empty() && !take(',')) fail("a comma or \")\"");
      skip_space();
      std::size_t end = at_;
      while (end < text_.size() && 'a' <= text_[end] && text_[end] <= 'z') ++end;
      std::string name;
      if (end > at_ && end < text_.size() && text_[end] == '=') {
        name = text_.substr(at_, end - at_);
        at_ = end + 1;
      }
      found.push_back({std::move(name), element(",)")});
    }
    return found;
  }

  std::string_view text_;
  const std::string& where_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Json plain_value(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return 'A' <= c && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (lower == "null" || lower == "~" || lower.empty()) return nullptr;
  if (lower == "true") return true;
  if (lower == "false") return false;
  if (auto value = number_in(text)) return *std::move(value);
  return std::string(text);
}

ParsedValue parse_value(std::string_view text, const std::string& where) {
  return ValueParser(text, where).parse();
}

}  // namespace espalier
