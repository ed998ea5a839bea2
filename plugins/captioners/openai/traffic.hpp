// How many requests are under way, and when the next may go: shared by all who ask one server.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "http.hpp"

namespace espalier::openai {

// Additive increase, multiplicative decrease: starts with two, one more after twenty clean answers
// in a row, half where the server is overloaded.
class Traffic {
 public:
  using Clock = std::chrono::steady_clock;

  explicit Traffic(std::int64_t most);

  // Waits until one more may go; false where `stopped` said so.
  [[nodiscard]] bool enter(const std::function<bool()>& stopped);
  void leave_clean();
  void leave_overloaded();
  void leave();  // neither
  // Nobody asks before then.
  void hold_until(Clock::time_point time);

  [[nodiscard]] std::int64_t room() const;

 private:
  void leave_with(std::int64_t room);

  const std::int64_t most_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::int64_t room_;
  std::int64_t under_way_ = 0;
  std::int64_t clean_ = 0;
  Clock::time_point not_before_{};
};

// Seconds that the server asks to wait: `retry-after-ms`, else `retry-after` in seconds or as a
// date, which `now` (seconds since 1970) is subtracted from. Empty where it says nothing usable.
[[nodiscard]] std::optional<double> asked_wait(const HttpAnswer& answer, std::int64_t now);

}  // namespace espalier::openai
