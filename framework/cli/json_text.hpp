// JSON for standard output.
#pragma once

#include <espalier/core/json.hpp>
#include <string>

namespace espalier::cli {

// One value and a line feed. In its texts control characters, marks of direction and the like are
// escaped (core/printable.hpp), so that none drives the terminal on which it is looked at; bytes
// that are no UTF-8 are replaced.
[[nodiscard]] std::string json_text(const Json& value, int indent = -1);

}  // namespace espalier::cli
