#include "client.hpp"

#include <spdlog/logger.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <espalier/core/error.hpp>
#include <espalier/core/printable.hpp>
#include <espalier/core/words.hpp>
#include <espalier/image/resize.hpp>
#include <thread>
#include <utility>

#include "answer.hpp"
#include "jpeg.hpp"
#include "verdict.hpp"

namespace espalier::openai {
namespace {

constexpr std::int64_t more_room = 4;
constexpr std::int64_t between_words = 10;  // seconds between what is said of retries

std::string key_in(const std::string& variable) {
  const char* key = variable.empty() ? nullptr : std::getenv(variable.c_str());
  return key == nullptr ? "" : key;
}

[[noreturn]] void give_up() {
  throw Error({.what = "stopped", .where = {}, .expected = {}, .found = {}, .fix = {}});
}

Image fitted(Image image, std::int64_t max_side) {
  const std::int64_t longer = std::max(image.width, image.height);
  if (max_side == 0 || longer <= max_side) return image;
  const double scale = static_cast<double>(max_side) / static_cast<double>(longer);
  const auto side = [&](std::int64_t length) {
    return std::max<std::int64_t>(1, std::llround(static_cast<double>(length) * scale));
  };
  return resize(image, side(image.width), side(image.height), Filter::bicubic);
}

}  // namespace

struct Client::Attempt {
  Random random;
  std::function<bool()> stopped;
  int tries = 0;     // requests that were sent
  int refusals = 0;  // to answer, of which each lengthens the next wait
  int timeouts = 0;
  std::string refused{};                       // parameters, before the last try
  std::optional<AnsweredCaption> exhausted{};  // the answer that there was no room for
  Emergency emergency{};
  Traffic::Clock::time_point began = Traffic::Clock::now();
};

Client::Client(Params params, Patience patience, spdlog::logger& log)
    : params_(std::move(params)),
      patience_(patience),
      log_(log),
      url_(checked_url(params_.base_url)),
      key_(key_in(params_.key_env)),
      extra_(extra_of(params_)),
      prompt_(params_),
      traffic_(params_.concurrency) {}

void Client::require_key() const {
  if (params_.key_env.empty() || !key_.empty()) return;
  throw Error({.what = "the key for the server is missing",
               .where = "captioner.key_env",
               .expected = "the key in the environment variable " + params_.key_env,
               .found = "no such variable, or an empty one",
               .fix = "export " + params_.key_env +
                      "=... before the command, or leave captioner.key_env out"});
}

std::string Client::picture_of(const CaptionRequest& request) const {
  return data_url(encode_jpeg(fitted(request.image(), params_.max_side)));
}

std::string Client::source() const {
  const std::string without = refused_.text();
  return "openai " + prompt_.name() + (without.empty() ? "" : " (" + without + ")");
}

// Servers repeat what they do not like.
std::string Client::without_key(std::string text) const {
  if (key_.empty()) return text;
  for (std::size_t at = text.find(key_); at != std::string::npos; at = text.find(key_, at)) {
    text.replace(at, key_.size(), "***");
  }
  return text;
}

AnsweredCaption Client::ask(const CaptionRequest& request, const std::function<bool()>& stopped) {
  require_key();
  const Question question = prompt_.about(request.id);
  const std::string picture = question.with_picture ? picture_of(request) : "";
  Attempt attempt{.random = request.random, .stopped = stopped};
  AnsweredCaption caption = ask_patiently(question, picture, attempt);
  caption.tries = attempt.tries;
  if (question.as_json && has_text(caption.answer)) {
    const std::optional<std::string> words = parts_in_words(caption.text);
    if (!words || words->empty()) {
      caption.note = "no JSON object of parts: " + caption.text.substr(0, 200);
      caption.answer = Answer::malformed;
    }
    caption.text = words && has_text(caption.answer) ? *words : "";
  }
  caption.source = source();
  if (caption.model.empty()) caption.model = params_.model;
  if (!is_utf8(caption.note)) caption.note = printable(caption.note);
  for (std::string* text : {&caption.text, &caption.note, &caption.model, &caption.fingerprint}) {
    *text = without_key(std::move(*text));
  }
  count(caption);
  return caption;
}

HttpAnswer Client::send(const std::string& path, const std::string& body,
                        const std::function<bool()>& stopped) {
  std::unique_ptr<HttpClient> client;
  {
    const std::scoped_lock lock(mutex_);
    if (!idle_.empty()) {
      client = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!client) client = std::make_unique<HttpClient>(key_, params_.ca_file);
  HttpAnswer answer =
      client->send({.url = url_ + path,
                    .body = body,
                    .timeout = has_answered_ ? params_.timeout
                                             : std::max(params_.timeout, params_.first_timeout),
                    .stopped = stopped});
  const std::scoped_lock lock(mutex_);
  idle_.push_back(std::move(client));
  return answer;
}

AnsweredCaption Client::ask_patiently(const Question& question, const std::string& picture,
                                      Attempt& attempt) {
  for (;;) {
    attempt.refused = refused_.text();
    const std::string body =
        body_of(params_, extra_, question, picture, refused_, attempt.emergency);
    if (!traffic_.enter(attempt.stopped)) give_up();
    const HttpAnswer answer = send("/chat/completions", body, attempt.stopped);
    note(attempt, answer);
    if (is_answer(answer)) {
      has_answered_ = true;
      AnsweredCaption caption = read_answer(answer.body);
      if (caption.answer != Answer::exhausted || attempt.exhausted) return caption;
      attempt.exhausted = std::move(caption);
      attempt.emergency = {.room = more_room, .without_thinking = true};
    } else if (is_worth_another_try(answer) && has_patience(attempt, answer)) {
      wait_to_try(answer, attempt);
    } else if (!can_do_without(answer, attempt)) {
      refuse_for_all(answer);
      return attempt.exhausted ? *attempt.exhausted : failed(answer);
    }
  }
}

// Whether the next try lacks what the server does not take.
bool Client::can_do_without(const HttpAnswer& answer, Attempt& attempt) {
  if (answer.status != 400) return false;
  return refused_.learn(read_fault(answer.body)) || refused_.text() != attempt.refused ||
         std::exchange(attempt.emergency.without_thinking, false);
}

// A server that has not answered yet may be loading its model.
bool Client::has_patience(const Attempt& attempt, const HttpAnswer& answer) const {
  const std::chrono::duration<double> waited = Traffic::Clock::now() - attempt.began;
  if (answer.status == 503 && !has_answered_) return waited.count() < params_.first_timeout;
  return attempt.refusals < patience_.tries && attempt.timeouts < patience_.timeouts;
}

void Client::note(Attempt& attempt, const HttpAnswer& answer) {
  ++attempt.tries;
  if (is_overloaded(answer)) {
    traffic_.leave_overloaded();
  } else if (is_answer(answer)) {
    return traffic_.leave_clean();
  } else {
    traffic_.leave();
  }
  if (answer.failure == HttpFailure::stopped) give_up();
  if (answer.failure == HttpFailure::timed_out) ++attempt.timeouts;
  if (is_worth_another_try(answer)) ++attempt.refusals;
}

void Client::wait_to_try(const HttpAnswer& answer, Attempt& attempt) {
  using Seconds = std::chrono::duration<double>;
  if (answer.failure == HttpFailure::unreachable && !has_answered_) refuse_for_all(answer);
  const bool out_of_credit = read_fault(answer.body).code == "insufficient_quota";
  if (answer.status == 429 && out_of_credit) refuse_for_all(answer);
  const std::optional<double> asked = asked_wait(answer, std::time(nullptr));
  if (asked && *asked > patience_.longest_asked) refuse_for_all(answer);
  const double most =
      std::min(patience_.longest_wait, patience_.first_wait * std::exp2(attempt.refusals - 1));
  const double wait = asked.value_or(attempt.random.uniform() * most);
  const auto until =
      Traffic::Clock::now() + std::chrono::duration_cast<Traffic::Clock::duration>(Seconds(wait));
  if (asked) traffic_.hold_until(until);
  const std::int64_t now = std::time(nullptr);
  if (std::int64_t last = last_said_;
      now - last >= between_words && last_said_.compare_exchange_strong(last, now)) {
    log_.warn("{}: asking again in {:.1f} s, try {} of {}", printable(without_key(said(answer))),
              wait, attempt.refusals + 1, patience_.tries);
  }
  while (Traffic::Clock::now() < until && !attempt.stopped()) {
    const auto left = until - Traffic::Clock::now();
    std::this_thread::sleep_for(std::clamp<Traffic::Clock::duration>(
        left, Traffic::Clock::duration::zero(), std::chrono::milliseconds(100)));
  }
}

// The names that the server lists; empty where it lists none.
std::string Client::models() {
  const HttpAnswer answer = send("/models", {}, [] { return false; });
  try {
    std::vector<std::string> names;
    const Json list = parse_json(answer.body, "models");
    for (const Json& model : list.at("data")) {
      if (names.size() < 20) names.push_back(printable(model.at("id").get<std::string>()));
    }
    return joined(names);
  } catch (const std::exception&) {
    return {};
  }
}

// Throws where no other picture would fare better.
void Client::refuse_for_all(const HttpAnswer& answer) {
  std::optional<Problem> problem = end_of_all(answer, params_.key_env, patience_.longest_asked);
  if (!problem) return;
  problem->where = url_ + "/chat/completions";
  if (is_unknown(answer)) {
    if (const std::string known = models(); !known.empty()) problem->expected = "one of " + known;
  }
  problem->found = printable(without_key(problem->found));
  throw Error(*std::move(problem));
}

void Client::count(const AnsweredCaption& caption) {
  if (has_text(caption.answer)) {
    failures_ = 0;
    return;
  }
  if (++failures_ < patience_.failures_in_a_row) return;
  const bool room = caption.answer == Answer::exhausted;
  throw Error(
      {.what = std::to_string(patience_.failures_in_a_row) + " pictures in a row got no caption",
       .where = url_ + "/chat/completions",
       .expected = {},
       .found = "the last was " + std::string(to_string(caption.answer)) +
                (caption.note.empty() ? "" : ": " + printable(caption.note)),
       .fix = room ? "a model that does not reason, or captioner.max_tokens=4096"
                   : "look at the server; the same command goes on from here"});
}

}  // namespace espalier::openai
