#include "run/protocol.hpp"

#include <unistd.h>

#include <cerrno>
#include <espalier/core/error.hpp>
#include <utility>

namespace espalier {
namespace {

Json to_json(const std::vector<TrialInput>& inputs) {
  Json list = Json::array();
  for (const TrialInput& input : inputs) {
    list.push_back({{"name", input.name},
                    {"path", input.path.string()},
                    {"digest", input.content.digest},
                    {"mark", input.content.mark},
                    {"scope", static_cast<int>(input.content.scope)}});
  }
  return list;
}

ContentScope scope_from(const Json& json) {
  return json.get<int>() == 0 ? ContentScope::all : ContentScope::class_folders;
}

std::vector<TrialInput> inputs_from(const Json& list) {
  std::vector<TrialInput> inputs;
  for (const Json& json : list) {
    inputs.push_back({.name = json.at("name"),
                      .path = json.at("path").get<std::string>(),
                      .content = {.digest = json.at("digest"),
                                  .mark = json.at("mark"),
                                  .scope = scope_from(json.at("scope"))}});
  }
  return inputs;
}

}  // namespace

Json to_json(const TrialRequest& request) {
  Json stages = Json::array();
  for (const StageRef& stage : request.stages) {
    stages.push_back({{"name", stage.name}, {"key", stage.key}, {"inputs", stage.inputs}});
  }
  return {{"do", "trial"},
          {"trial_id", request.trial_id},
          {"combo_id", request.combo_id},
          {"config", request.config},
          {"stages", std::move(stages)},
          {"folder", request.folder.string()},
          {"cache", request.cache.string()},
          {"cache_limit", request.cache_limit},
          {"activation_limit", request.activation_limit},
          {"inputs", to_json(request.inputs)},
          {"attempt", request.attempt}};
}

TrialRequest request_from_json(const Json& json) try {
  TrialRequest request;
  json.at("trial_id").get_to(request.trial_id);
  json.at("combo_id").get_to(request.combo_id);
  request.config = json.at("config");
  for (const Json& stage : json.at("stages")) {
    request.stages.push_back(
        {.name = stage.at("name"), .key = stage.at("key"), .inputs = stage.at("inputs")});
  }
  request.folder = json.at("folder").get<std::string>();
  request.cache = json.at("cache").get<std::string>();
  json.at("cache_limit").get_to(request.cache_limit);
  json.at("activation_limit").get_to(request.activation_limit);
  json.at("attempt").get_to(request.attempt);
  request.inputs = inputs_from(json.at("inputs"));
  return request;
} catch (const Json::exception& error) {
  throw Error({.what = "a request for a trial is incomplete",
               .where = "standard input of espalier-worker",
               .expected = {},
               .found = error.what(),
               .fix = {}});
}

void write_message(int descriptor, const Json& message) {
  const std::string line = message.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(descriptor, rest.data(), rest.size());
    if (written <= 0) return;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

bool LineReader::fill(int descriptor) {
  char bytes[1 << 16];
  ssize_t got = 0;
  do {
    got = ::read(descriptor, bytes, sizeof bytes);
  } while (got < 0 && errno == EINTR);
  if (got <= 0) return got < 0 && errno == EAGAIN;
  buffer_.append(bytes, static_cast<std::size_t>(got));
  return true;
}

std::optional<std::string> LineReader::next() {
  const std::size_t end = buffer_.find('\n');
  if (end == std::string::npos) return std::nullopt;
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 1);
  return line;
}

}  // namespace espalier
