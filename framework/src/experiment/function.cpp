#include <algorithm>
#include <cmath>
#include <cstdint>
#include <espalier/core/error.hpp>
#include <optional>
#include <utility>

#include "value_internal.hpp"

namespace espalier {
namespace {

using Arguments = std::vector<FunctionArgument>;

constexpr double most_values = 1e6;
constexpr std::string_view functions[] = {"choice", "glob", "range"};

[[noreturn]] void misuse(std::string expected, const std::string& where) {
  throw Error({.what = "a function has arguments that do not fit",
               .where = where,
               .expected = std::move(expected),
               .found = {},
               .fix = {}});
}

struct Range {
  double start = 0;
  double stop = 0;
  double step = 1;
  bool whole = true;
};

// The smallest power of ten that makes all three whole, so that steps of 0.1 do not drift; else 0.
double decimal_scale(const Range& range) {
  const auto fits = [](double value, double scale) {
    return std::round(value * scale) / scale == value && std::abs(value * scale) < 9e15;
  };
  for (double scale = 1; scale < 1e16; scale *= 10) {
    if (fits(range.start, scale) && fits(range.stop, scale) && fits(range.step, scale)) {
      return scale;
    }
  }
  return 0;
}

std::vector<Json> fill(const Range& range, const std::string& where) {
  if (range.step == 0) misuse("a step other than 0", where);
  const double scale = decimal_scale(range);
  const auto scaled = [&](double value) { return scale > 0 ? std::round(value * scale) : value; };
  const double start = scaled(range.start);
  const double step = scaled(range.step);
  const double count = std::ceil((scaled(range.stop) - start) / step);
  if (!(count <= most_values)) misuse("a range of at most 1,000,000 values", where);
  std::vector<Json> values;
  for (double i = 0; i < count; ++i) {
    const double value = (start + i * step) / (scale > 0 ? scale : 1);
    values.push_back(range.whole ? Json(static_cast<std::int64_t>(value)) : Json(value));
  }
  return values;
}

std::vector<Json> range_of(const Arguments& given, const std::string& where) {
  constexpr const char* usage = "range([start,] stop[, step]) with numbers";
  std::vector<std::string> order{"start", "stop", "step"};
  if (given.size() == 1) order = {"stop"};
  std::size_t next = 0;
  std::vector<std::pair<std::string, double>> slots;
  Range range;
  for (const FunctionArgument& argument : given) {
    if (argument.name.empty() && next == order.size()) misuse(usage, where);
    const std::string name = argument.name.empty() ? order[next++] : argument.name;
    const bool twice = std::any_of(slots.begin(), slots.end(),
                                   [&](const auto& slot) { return slot.first == name; });
    const bool known = name == "start" || name == "stop" || name == "step";
    if (twice || !known || !argument.value.is_number()) misuse(usage, where);
    slots.emplace_back(name, argument.value.get<double>());
    range.whole = range.whole && argument.value.is_number_integer();
  }
  bool ends = false;
  for (const auto& [name, value] : slots) {
    (name == "start" ? range.start : name == "stop" ? range.stop : range.step) = value;
    ends = ends || name == "stop";
  }
  if (!ends) misuse(usage, where);
  return fill(range, where);
}

Json glob_of(const Arguments& given, const std::string& where) {
  constexpr const char* usage = "glob(pattern, exclude=pattern), each a text or a list of texts";
  Json marker{{"glob", nullptr}, {"exclude", Json::array()}};
  for (const FunctionArgument& argument : given) {
    const bool exclude = argument.name == "exclude";
    const bool include = argument.name == "include" || argument.name.empty();
    Json patterns = argument.value;
    if (patterns.is_string()) patterns = Json::array({patterns});
    const bool texts =
        patterns.is_array() && std::all_of(patterns.begin(), patterns.end(),
                                           [](const Json& item) { return item.is_string(); });
    if (!texts || !(exclude || (include && marker["glob"].is_null()))) misuse(usage, where);
    marker[exclude ? "exclude" : "glob"] = patterns;
  }
  if (marker["glob"].is_null()) misuse(usage, where);
  return marker;
}

}  // namespace

std::vector<Json> call_function(std::string_view name, const Arguments& arguments,
                                const std::string& where) {
  if (name == "range") return range_of(arguments, where);
  if (name == "glob") return {glob_of(arguments, where)};
  std::vector<Json> values;
  for (const FunctionArgument& argument : arguments) {
    if (!argument.name.empty()) misuse("choice(a, b, ...) without names", where);
    values.push_back(argument.value);
  }
  return values;
}

bool is_function(std::string_view text) {
  return std::any_of(std::begin(functions), std::end(functions), [&](std::string_view name) {
    return text.starts_with(name) && text.substr(name.size()).starts_with('(');
  });
}

bool is_glob(const Json& value) { return value.is_object() && value.contains("glob"); }

}  // namespace espalier
