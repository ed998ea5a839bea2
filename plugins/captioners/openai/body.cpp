#include "body.hpp"

#include <openssl/evp.h>

#include <espalier/core/error.hpp>
#include <espalier/core/words.hpp>

namespace espalier::openai {
namespace {

// Those that a server may do without.
constexpr const char* optional_parameters[] = {"max_tokens", "temperature", "top_p", "seed"};

Json question_content(const Question& question, std::string_view picture) {
  Json content = Json::array({{{"type", "text"}, {"text", question.text}}});
  if (!picture.empty()) {
    content.push_back({{"type", "image_url"}, {"image_url", {{"url", picture}}}});
  }
  return content;
}

}  // namespace

bool Refused::learn(const ServerFault& fault) {
  std::string parameter = fault.param;
  if (parameter.empty() && fault.message.find("max_completion_tokens") != std::string::npos) {
    parameter = "max_tokens";
  }
  for (const char* known : optional_parameters) {
    if (parameter != known) continue;
    const std::scoped_lock lock(mutex_);
    return parameters_.insert(parameter).second;
  }
  return false;
}

bool Refused::has(const std::string& parameter) const {
  const std::scoped_lock lock(mutex_);
  return parameters_.contains(parameter);
}

std::string Refused::text() const {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> parts;
  for (const std::string& parameter : parameters_) {
    parts.push_back(parameter == "max_tokens" ? "max_completion_tokens" : "no " + parameter);
  }
  return joined(parts);
}

Json extra_of(const Params& params) {
  if (params.extra_body.empty()) return Json::object();
  Json extra;
  std::string found = params.extra_body;
  try {
    extra = parse_json(params.extra_body, "captioner.extra_body");
  } catch (const Error& error) {
    found = error.problems().front().what;
  }
  if (extra.is_object()) return extra;
  throw Error({.what = "captioner.extra_body is no JSON object",
               .where = "captioner.extra_body",
               .expected = R"(such as '{"reasoning_effort": "none"}')",
               .found = found,
               .fix = {}});
}

std::string body_of(const Params& params, const Json& extra, const Question& question,
                    std::string_view picture, const Refused& refused, const Emergency& emergency) {
  const Json message = {{"role", "user"}, {"content", question_content(question, picture)}};
  Json body = {{"model", params.model}, {"messages", {message}}, {"stream", false}};
  const char* room = refused.has("max_tokens") ? "max_completion_tokens" : "max_tokens";
  body[room] = params.max_tokens * emergency.room;
  const auto add = [&](const char* name, const Json& value) {
    if (!refused.has(name)) body[name] = value;
  };
  add("temperature", params.temperature);
  add("top_p", params.top_p);
  add("seed", params.seed);
  if (emergency.without_thinking) {
    body["reasoning_effort"] = "none";
    body["chat_template_kwargs"] = {{"enable_thinking", false}};
  }
  body.update(extra);
  return body.dump();
}

std::string data_url(std::string_view jpeg) {
  std::string url = "data:image/jpeg;base64,";
  const std::size_t prefix = url.size();
  url.resize(prefix + 4 * ((jpeg.size() + 2) / 3) + 1);  // EVP_EncodeBlock ends with a zero byte
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(url.data() + prefix),
                  reinterpret_cast<const unsigned char*>(jpeg.data()),
                  static_cast<int>(jpeg.size()));
  url.pop_back();
  return url;
}

}  // namespace espalier::openai
