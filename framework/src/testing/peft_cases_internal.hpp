// Recorded cases of methods that Hugging Face PEFT does not have, as components.
#pragma once

#include <espalier/core/json.hpp>
#include <espalier/plugin/peft.hpp>
#include <map>
#include <string>

namespace espalier::conformance {

// The section of the component that computes the `method` of a case with its `settings`. Throws
// Error where there is none.
[[nodiscard]] Json section_of_case(const Json& meta);
// What its method may look at before it is attached: `ids` [classes, l] are taken as what is said
// of classes, a start, placeholder words, the class, ends.
[[nodiscard]] MethodInput input_of_case(const at::Tensor& ids, double logit_scale);
// Other settings in which the case is recorded as well, by the prefix of their outputs.
[[nodiscard]] std::map<std::string, Json> other_sections_of_case(const Json& meta);

}  // namespace espalier::conformance
