// JSON as Espalier reads, writes and hashes it.
#pragma once

#include <cstddef>
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

// The one text of a value, by RFC 8785 (JSON Canonicalization Scheme): sorted keys, no white space,
// shortest round-trip numbers in ECMAScript's form. Throws Error on NaN, infinity, integers beyond
// 2^53 in magnitude, and strings that are not UTF-8.
[[nodiscard]] std::string canonical_json(const Json& value);

}  // namespace espalier
