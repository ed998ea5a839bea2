// Recorded cases of methods that Hugging Face PEFT does not have, as components.
#pragma once

#include <espalier/core/json.hpp>
#include <map>
#include <string>

namespace espalier::conformance {

// The section of the component that computes the `method` of a case with its `settings`. Throws
// Error where there is none.
[[nodiscard]] Json section_of_case(const Json& meta);
// Other settings in which the case is recorded as well, by the prefix of their outputs.
[[nodiscard]] std::map<std::string, Json> other_sections_of_case(const Json& meta);

}  // namespace espalier::conformance
