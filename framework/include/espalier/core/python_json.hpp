// JSON as Python's json module writes it, which is not quite JSON.
#pragma once

#include <espalier/core/json.hpp>
#include <string_view>

namespace espalier {

// As parse_json(), but NaN, Infinity and -Infinity become the strings of these names, and a
// byte-order mark is passed over.
[[nodiscard]] Json parse_python_json(std::string_view text, std::string_view origin,
                                     const JsonLimits& limits = {});

}  // namespace espalier
