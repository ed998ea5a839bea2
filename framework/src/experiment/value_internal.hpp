// Values as people write them, in YAML and on the command line.
#pragma once

#include <espalier/core/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

// A word without quotes: null, true or false, a number, else text. As YAML 1.2 has it: `yes` is
// text. So are whole numbers from 2^63 on, which no number could hold exactly.
[[nodiscard]] Json plain_value(std::string_view text);

struct ParsedValue {
  std::vector<Json> values;
  bool axis = false;  // several values, or a function that stands for any number of them
};

// The right side of an override, in Hydra's grammar: elements between commas, each a word, a quoted
// text, [a, b], {a: 1}, range([start,] stop[, step]) half-open, choice(a, b) or glob(pattern or
// [patterns], exclude=...). A glob becomes the marker {"glob": [...], "exclude": [...]}. Throws
// Error that names `where` and the column.
[[nodiscard]] ParsedValue parse_value(std::string_view text, const std::string& where);

struct FunctionArgument {
  std::string name;  // empty: by position
  Json value;
};

// What a function stands for. Throws Error that names `where`.
[[nodiscard]] std::vector<Json> call_function(std::string_view name,
                                              const std::vector<FunctionArgument>& arguments,
                                              const std::string& where);

// Whether a text begins a call of one of these functions.
[[nodiscard]] bool is_function(std::string_view text);

[[nodiscard]] bool is_glob(const Json& value);

}  // namespace espalier
