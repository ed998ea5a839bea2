#include "verdict.hpp"

#include <cmath>
#include <ctime>

#include "answer.hpp"
#include "traffic.hpp"

namespace espalier::openai {
namespace {

Problem problem_of(std::string what, std::string found, std::string fix) {
  return {.what = std::move(what),
          .where = {},
          .expected = {},
          .found = std::move(found),
          .fix = std::move(fix)};
}

std::optional<Problem> no_connection(const HttpAnswer& answer) {
  if (answer.failure == HttpFailure::unreachable) {
    return problem_of("no server can be reached", said(answer),
                      "start it, or name another with captioner.base_url");
  }
  if (answer.failure == HttpFailure::untrusted) {
    return problem_of("the server's certificate is not trusted", said(answer),
                      "captioner.ca_file=FILE.pem names one that is");
  }
  return std::nullopt;
}

Problem elsewhere(const HttpAnswer& answer) {
  const auto to = answer.headers.find("location");
  return problem_of("the server sends elsewhere, and pictures and keys are not sent after that",
                    "HTTP " + std::to_string(answer.status) + " to " +
                        (to == answer.headers.end() ? "nowhere" : to->second.substr(0, 200)),
                    "give the address that is meant as captioner.base_url");
}

std::optional<Problem> no_room(const HttpAnswer& answer, double longest_wait) {
  constexpr const char* later = "the same command goes on from here later";
  if (read_fault(answer.body).code == "insufficient_quota") {
    return problem_of("the account has no credit left", said(answer), later);
  }
  const std::optional<double> asked = asked_wait(answer, std::time(nullptr));
  if (!asked || *asked <= longest_wait) return std::nullopt;
  return problem_of("the server asks to wait longer than is waited",
                    said(answer) + "; wait " + std::to_string(std::llround(*asked)) + " s", later);
}

}  // namespace

bool is_answer(const HttpAnswer& answer) {
  return answer.failure == HttpFailure::none && answer.status == 200;
}

bool is_overloaded(const HttpAnswer& answer) {
  return answer.status == 429 || answer.status == 503 || answer.failure == HttpFailure::timed_out;
}

bool is_worth_another_try(const HttpAnswer& answer) {
  if (answer.failure == HttpFailure::too_large || answer.failure == HttpFailure::untrusted)
    return false;
  if (answer.failure != HttpFailure::none) return true;
  const auto wish = answer.headers.find("x-should-retry");
  if (wish != answer.headers.end() && (wish->second == "true" || wish->second == "false")) {
    return wish->second == "true" && answer.status != 200;
  }
  const long status = answer.status;
  return status == 408 || status == 409 || status == 429 || (status >= 500 && status != 501);
}

bool is_unknown(const HttpAnswer& answer) {
  return answer.failure == HttpFailure::none && (answer.status == 404 || answer.status == 405);
}

std::string said(const HttpAnswer& answer) {
  if (answer.failure == HttpFailure::too_large) return "an answer of more than 4 MB";
  if (answer.failure != HttpFailure::none) return answer.reason;
  const std::string message = read_fault(answer.body).message;
  return "HTTP " + std::to_string(answer.status) + (message.empty() ? "" : ": " + message);
}

AnsweredCaption failed(const HttpAnswer& answer) {
  AnsweredCaption caption;
  caption.answer =
      answer.failure == HttpFailure::too_large ? Answer::malformed : Answer::http_error;
  caption.note = said(answer);
  return caption;
}

std::optional<Problem> end_of_all(const HttpAnswer& answer, const std::string& key_env,
                                  double longest_wait) {
  if (answer.failure != HttpFailure::none) return no_connection(answer);
  if (answer.status >= 300 && answer.status < 400) return elsewhere(answer);
  if (answer.status == 401 || answer.status == 403) {
    return problem_of("the server does not let you in", said(answer),
                      key_env.empty()
                          ? "captioner.key_env=NAME names the environment variable with the key"
                          : "look at the key in the environment variable " + key_env);
  }
  if (is_unknown(answer)) {
    return problem_of("the server has no such model or no such path", said(answer),
                      "captioner.model=NAME, and captioner.base_url mostly ends in /v1");
  }
  if (answer.status == 501) {
    return problem_of("the server takes no pictures", said(answer),
                      "a vision model; llama.cpp needs its --mmproj file as well");
  }
  return answer.status == 429 ? no_room(answer, longest_wait) : std::nullopt;
}

}  // namespace espalier::openai
