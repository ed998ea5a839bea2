// JSON as Espalier reads, writes and hashes it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace espalier {

// Object members are kept sorted by key (bytewise).
using Json = nlohmann::json;

struct JsonLimits {
  std::size_t bytes = 64u << 20;
  int depth = 64;
};

// Parses text that may be hostile. Throws Error, naming `origin`, on a syntax error, a duplicate
// key, text that is not UTF-8, or a size or depth over the limits.
[[nodiscard]] Json parse_json(std::string_view text, std::string_view origin,
                              const JsonLimits& limits = {});

// The value under a dotted key, or nullptr; the root itself under an empty one.
[[nodiscard]] const Json* value_under(const Json& root, std::string_view key);

// Doubles hold all whole numbers up to this magnitude, 2^53; larger ones have no name of their own.
inline constexpr std::int64_t largest_exact = std::int64_t{1} << 53;
// False for integers beyond it.
[[nodiscard]] bool is_exact(const Json& number);

struct Problem;
// {"what", "where", "expected", "found", "fix"}, without those that are empty.
[[nodiscard]] Json to_json(const Problem& problem);
// Whatever is missing is empty.
[[nodiscard]] Problem problem_from_json(const Json& json);

// The one text of a value, by RFC 8785 (JSON Canonicalization Scheme): sorted keys, no white space,
// shortest round-trip numbers in ECMAScript's form. Throws Error on NaN, infinity, integers beyond
// 2^53 in magnitude, and strings that are not UTF-8.
[[nodiscard]] std::string canonical_json(const Json& value);

}  // namespace espalier
