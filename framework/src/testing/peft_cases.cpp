#include <espalier/core/error.hpp>
#include <sstream>
#include <string>

#include "peft_cases_internal.hpp"

namespace espalier::conformance {

Json section_of_case(const Json& meta) {
  const std::string method = meta.at("method").get<std::string>();
  const Json& settings = meta.at("settings");
  if (method == "bitfit" || method == "full" || method == "ssf") return {{"use", method}};
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
  if (method == "coop" || method == "coop-class-specific") {
    return {{"use", "coop"},
            {"n_ctx", settings.at("context")},
            {"csc", method == "coop-class-specific"}};
  }
  if (method == "cocoop") {
    return {{"use", method},
            {"n_ctx", settings.at("context")},
            {"ctx_init", ""},
            {"reduction", settings.at("reduction")}};
  }
  if (method == "maple") {
    const Json& own = settings.at("maple");
    return {{"use", method},
            {"n_ctx", own.at("context")},
            {"ctx_init", ""},
            {"prompt_depth", own.at("depth")}};
  }
  if (method == "ga_net") {
    Json section = settings;
    section["use"] = method;
    return section;
  }
  throw Error({.what = "no component computes this method",
               .where = {},
               .expected = {},
               .found = method,
               .fix = "espalier plugins list shows what there is"});
}

MethodInput input_of_case(const at::Tensor& ids, double logit_scale) {
  MethodInput input;
  input.logit_scale = logit_scale;
  const at::Tensor rows = ids.to(at::kLong).contiguous();
  const std::int64_t length = rows.size(1);
  const auto* row = rows.data_ptr<std::int64_t>();
  const std::int64_t start = row[0], word = row[1], end = row[length - 1];
  for (std::int64_t i = 0; i < rows.size(0); ++i, row += length) {
    input.class_tokens.push_back({{row, row + length}});
  }
  input.tokens = [start, word, end](const std::string& text) {
    std::vector<std::int64_t> tokens = {start};
    std::istringstream words(text);
    for (std::string one; words >> one;) tokens.push_back(word);
    tokens.push_back(end);
    return tokens;
  };
  return input;
}

std::map<std::string, Json> other_sections_of_case(const Json& meta) {
  if (!meta.at("method").get<std::string>().starts_with("vpt")) return {};
  Json before = section_of_case(meta);
  before["before_pre_norm"] = true;
  return {{"on_before_norm", before}};
}

}  // namespace espalier::conformance
