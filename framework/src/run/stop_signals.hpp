// SIGINT, SIGTERM and SIGHUP as something to poll.
#pragma once

#include <csignal>
#include <optional>

namespace espalier {

// Blocks the three signals in this thread and makes them readable from descriptor(). Ends with the
// old mask; a signal that came and was not taken is dropped.
class StopSignals {
 public:
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals();

  [[nodiscard]] int descriptor() const noexcept { return fd_; }
  // The next signal that came, if any.
  [[nodiscard]] std::optional<int> take();

 private:
  sigset_t before_;
  int fd_;
};

}  // namespace espalier
