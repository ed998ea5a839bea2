#include <espalier/core/error.hpp>
#include <string>

#include "peft_cases_internal.hpp"

namespace espalier::conformance {

Json section_of_case(const Json& meta) {
  const std::string method = meta.at("method").get<std::string>();
  const Json& settings = meta.at("settings");
  if (method == "bitfit" || method == "ssf") return {{"use", method}};
  if (method == "houlsby" || method == "pfeiffer") {
    return {{"use", method}, {"reduction_factor", settings.at("reduction")}};
  }
  if (method == "adaptformer") {
    const Json& own = settings.at("adaptformer");
    return {{"use", method}, {"bottleneck", own.at("bottleneck")}, {"scaling", own.at("scale")}};
  }
  if (method == "vpt-shallow" || method == "vpt-deep") {
    return {{"use", "vpt"}, {"num_tokens", settings.at("prompts")}, {"deep", method == "vpt-deep"}};
  }
  throw Error({.what = "no component computes this method",
               .where = {},
               .expected = {},
               .found = method,
               .fix = "espalier plugins list shows what there is"});
}

std::map<std::string, Json> other_sections_of_case(const Json& meta) {
  if (!meta.at("method").get<std::string>().starts_with("vpt")) return {};
  Json before = section_of_case(meta);
  before["before_pre_norm"] = true;
  return {{"on_before_norm", before}};
}

}  // namespace espalier::conformance
