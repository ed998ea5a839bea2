#include "traffic.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>

namespace espalier::openai {
namespace {

constexpr std::int64_t first_room = 2;
constexpr std::int64_t clean_for_more = 20;
constexpr auto between_looks = std::chrono::milliseconds(100);

std::optional<double> number_in(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !(number >= 0))
    return std::nullopt;
  return number;
}

}  // namespace

Traffic::Traffic(std::int64_t most) : most_(most), room_(std::min(most, first_room)) {}

bool Traffic::enter(const std::function<bool()>& stopped) {
  std::unique_lock lock(mutex_);
  for (;;) {
    if (stopped()) return false;
    const auto now = Clock::now();
    if (now >= not_before_ && under_way_ < room_) break;
    const auto look = now + between_looks;
    changed_.wait_until(lock, now < not_before_ ? std::min(look, not_before_) : look);
  }
  ++under_way_;
  return true;
}

void Traffic::leave_with(std::int64_t room) {
  room_ = std::clamp<std::int64_t>(room, 1, most_);
  --under_way_;
  changed_.notify_all();
}

void Traffic::leave_clean() {
  const std::scoped_lock lock(mutex_);
  const bool more = ++clean_ % clean_for_more == 0;
  leave_with(more ? room_ + 1 : room_);
}

void Traffic::leave_overloaded() {
  const std::scoped_lock lock(mutex_);
  clean_ = 0;
  leave_with(room_ / 2);
}

void Traffic::leave() {
  const std::scoped_lock lock(mutex_);
  clean_ = 0;
  leave_with(room_);
}

void Traffic::hold_until(Clock::time_point time) {
  const std::scoped_lock lock(mutex_);
  not_before_ = std::max(not_before_, time);
}

std::int64_t Traffic::room() const {
  const std::scoped_lock lock(mutex_);
  return room_;
}

std::optional<double> asked_wait(const HttpAnswer& answer, std::int64_t now) {
  if (const auto found = answer.headers.find("retry-after-ms"); found != answer.headers.end()) {
    if (const auto milliseconds = number_in(found->second)) return *milliseconds / 1000;
  }
  const auto found = answer.headers.find("retry-after");
  if (found == answer.headers.end()) return std::nullopt;
  if (const auto seconds = number_in(found->second)) return seconds;
  const std::int64_t date = curl_getdate(found->second.c_str(), nullptr);
  if (date < 0) return std::nullopt;
  return static_cast<double>(std::max<std::int64_t>(0, date - now));
}

}  // namespace espalier::openai
