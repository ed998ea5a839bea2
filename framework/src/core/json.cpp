#include <espalier/core/json.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <espalier/core/error.hpp>
#include <set>
#include <string>
#include <vector>

namespace espalier {
namespace {

[[noreturn]] void refuse_json(std::string what, std::string_view origin, std::string found = {}) {
  throw Error({.what = std::move(what),
               .where = std::string(origin),
               .expected = {},
               .found = std::move(found),
               .fix = {}});
}

// Where a mistake is, in an editor's terms. `read` bytes were read when it was seen.
std::string place_of(std::string_view text, std::size_t read) {
  if (text.empty()) return "nothing";
  if (read > text.size()) return "an end after " + std::to_string(text.size()) + " bytes";
  const std::string_view before = text.substr(0, std::max<std::size_t>(read, 1) - 1);
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const std::size_t column = before.size() - (before.rfind('\n') + 1) + 1;
  return "a mistake at line " + std::to_string(line) + ", column " + std::to_string(column);
}

// Builds the value itself so that duplicate keys and excessive depth are seen while parsing.
class Builder : public nlohmann::json_sax<Json> {
 public:
  Builder(std::string_view text, std::string_view origin, int depth_limit)
      : text_(text), origin_(origin), depth_limit_(depth_limit) {}

  Json take() { return std::move(root_); }

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t& text) override {
    if (!std::isfinite(value)) refuse_json("a number is out of range", origin_, text);
    return put(value);
  }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (stack_.back()->contains(name)) refuse_json("duplicate key \"" + name + "\"", origin_);
    key_ = std::move(name);
    return true;
  }

  bool parse_error(std::size_t position, const std::string&, const Json::exception&) override {
    throw Error({.what = "not valid JSON",
                 .where = std::string(origin_),
                 .expected = "one whole value",
                 .found = place_of(text_, position),
                 .fix = {}});
  }

 private:
  Json* place(Json value) {
    if (stack_.empty()) return &(root_ = std::move(value));
    Json& parent = *stack_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    return &(parent[key_] = std::move(value));
  }

  bool put(Json value) {
    place(std::move(value));
    return true;
  }

  bool open(Json value) {
    if (static_cast<int>(stack_.size()) >= depth_limit_) {
      refuse_json("nested too deeply", origin_,
                  "more than " + std::to_string(depth_limit_) + " levels");
    }
    stack_.push_back(place(std::move(value)));
    return true;
  }

  bool close() {
    stack_.pop_back();
    return true;
  }

  std::string_view text_;
  std::string_view origin_;
  int depth_limit_;
  Json root_;
  std::string key_;
  std::vector<Json*> stack_;
};

void append_number(std::string& out, double value) {
  if (!std::isfinite(value)) refuse_json("a number is not finite", "canonical JSON");
  if (value == 0) {
    out.push_back('0');
    return;
  }
  char buffer[32];
  const auto end =
      std::to_chars(buffer, buffer + sizeof buffer, std::abs(value), std::chars_format::scientific);
  const std::string_view text(buffer, static_cast<std::size_t>(end.ptr - buffer));
  const std::size_t e = text.find('e');
  std::string digits(1, text[0]);
  if (e > 1) digits.append(text.substr(2, e - 2));
  const int exponent = std::stoi(std::string(text.substr(e + 1)));
  const int count = static_cast<int>(digits.size());
  const int point = exponent + 1;  // ECMAScript's n: value = 0.digits * 10^n

  if (value < 0) out.push_back('-');
  if (count <= point && point <= 21) {
    out.append(digits).append(static_cast<std::size_t>(point - count), '0');
  } else if (0 < point && point <= 21) {
    out.append(digits, 0, static_cast<std::size_t>(point)).push_back('.');
    out.append(digits, static_cast<std::size_t>(point));
  } else if (-6 < point && point <= 0) {
    out.append("0.").append(static_cast<std::size_t>(-point), '0').append(digits);
  } else {
    out.push_back(digits[0]);
    if (count > 1) out.append(".").append(digits, 1);
    out.append(exponent < 0 ? "e-" : "e+").append(std::to_string(std::abs(exponent)));
  }
}

bool needs_no_escape(const std::string& text) {
  return std::all_of(text.begin(), text.end(),
                     [](char c) { return ' ' <= c && c <= '~' && c != '"' && c != '\\'; });
}

void append_string(std::string& out, const std::string& text) {
  if (needs_no_escape(text)) {
    out.append(1, '"').append(text).append(1, '"');
    return;
  }
  // nlohmann writes exactly the escapes that RFC 8785 asks for, and throws on text that is not
  // UTF-8.
  try {
    out += Json(text).dump();
  } catch (const Json::exception&) {
    refuse_json("a text is not UTF-8", "canonical JSON");
  }
}

void append(std::string& out, const Json& value);

void append_object(std::string& out, const Json& value) {
  out.push_back('{');
  bool first = true;
  for (const auto& [key, member] : value.items()) {
    if (!first) out.push_back(',');
    first = false;
    append_string(out, key);
    out.push_back(':');
    append(out, member);
  }
  out.push_back('}');
}

void append_array(std::string& out, const Json& value) {
  out.push_back('[');
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (i > 0) out.push_back(',');
    append(out, value[i]);
  }
  out.push_back(']');
}

void append(std::string& out, const Json& value) {
  switch (value.type()) {
    case Json::value_t::object:
      return append_object(out, value);
    case Json::value_t::array:
      return append_array(out, value);
    case Json::value_t::string:
      return append_string(out, value.get_ref<const std::string&>());
    case Json::value_t::boolean:
      out += value.get<bool>() ? "true" : "false";
      return;
    case Json::value_t::null:
      out += "null";
      return;
    default:
      break;
  }
  if (!is_exact(value)) refuse_json("an integer is beyond 2^53", "canonical JSON", value.dump());
  append_number(out, value.get<double>());
}

}  // namespace

Json parse_json(std::string_view text, std::string_view origin, const JsonLimits& limits) {
  if (text.size() > limits.bytes) {
    refuse_json("too large", origin, std::to_string(text.size()) + " bytes");
  }
  // For the parser a zero byte is the end, whatever stands behind it.
  if (const std::size_t zero = text.find('\0'); zero != std::string_view::npos) {
    refuse_json("a zero byte in JSON", origin, "at byte " + std::to_string(zero));
  }
  Builder builder(text, origin, limits.depth);
  Json::sax_parse(text, &builder);
  return builder.take();
}

const Json* value_under(const Json& root, std::string_view key) {
  const Json* value = &root;
  while (!key.empty()) {
    if (!value->is_object()) return nullptr;
    const std::size_t dot = key.find('.');
    const auto it = value->find(key.substr(0, dot));
    if (it == value->end()) return nullptr;
    value = &*it;
    key = dot == std::string_view::npos ? std::string_view{} : key.substr(dot + 1);
  }
  return value;
}

bool is_exact(const Json& number) {
  if (number.is_number_unsigned()) {
    return number.get<std::uint64_t>() <= std::uint64_t{largest_exact};
  }
  if (!number.is_number_integer()) return true;
  const auto value = number.get<std::int64_t>();
  return -largest_exact <= value && value <= largest_exact;
}

Json to_json(const Problem& problem) {
  Json json{{"what", problem.what}};
  const auto add = [&](const char* name, const std::string& text) {
    if (!text.empty()) json[name] = text;
  };
  add("where", problem.where);
  add("expected", problem.expected);
  add("found", problem.found);
  add("fix", problem.fix);
  return json;
}

Problem problem_from_json(const Json& json) {
  const auto text = [&](const char* name) { return json.value(name, std::string()); };
  return {.what = text("what"),
          .where = text("where"),
          .expected = text("expected"),
          .found = text("found"),
          .fix = text("fix")};
}

std::string canonical_json(const Json& value) {
  std::string out;
  append(out, value);
  return out;
}

}  // namespace espalier
