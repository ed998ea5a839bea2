#include <espalier/core/error.hpp>
#include <string>

#include "peft_cases_internal.hpp"

namespace espalier::conformance {

Json section_of_case(const Json& meta) {
  const std::string method = meta.at("method").get<std::string>();
  if (method == "bitfit") return {{"use", "bitfit"}};
  throw Error({.what = "no component computes this method",
               .where = {},
               .expected = {},
               .found = method,
               .fix = "espalier plugins list shows what there is"});
}

}  // namespace espalier::conformance
