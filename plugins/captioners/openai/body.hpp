// The body of a request: what all servers understand, less what this one has refused.
#pragma once

#include <espalier/core/json.hpp>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "answer.hpp"
#include "params.hpp"
#include "prompts.hpp"

namespace espalier::openai {

// Parameters that the server has refused, for the rest of the run: `max_tokens` is then sent as
// `max_completion_tokens`, others are left out.
class Refused {
 public:
  // Whether the fault is about such a parameter that was sent, which the next request lacks.
  bool learn(const ServerFault& fault);
  [[nodiscard]] bool has(const std::string& parameter) const;
  // In words for the record; empty where nothing was refused.
  [[nodiscard]] std::string text() const;

 private:
  mutable std::mutex mutex_;
  std::set<std::string> parameters_;
};

// More room, and reasoning turned off in the ways that servers know.
struct Emergency {
  std::int64_t room = 1;  // times max_tokens
  bool without_thinking = false;
};

// Throws Error where extra_body is no JSON object.
[[nodiscard]] Json extra_of(const Params& params);

// `picture` is a data URL, empty where the question is asked without one.
[[nodiscard]] std::string body_of(const Params& params, const Json& extra, const Question& question,
                                  std::string_view picture, const Refused& refused,
                                  const Emergency& emergency = {});

// `data:image/jpeg;base64,...`
[[nodiscard]] std::string data_url(std::string_view jpeg);

}  // namespace espalier::openai
