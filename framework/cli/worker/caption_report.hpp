// What `captions check` found, as a person reads it.
#pragma once

#include <espalier/core/json.hpp>
#include <string>

namespace espalier::cli {

// Lines for a terminal, of the report that --json writes.
[[nodiscard]] std::string caption_report(const Json& report);

}  // namespace espalier::cli
