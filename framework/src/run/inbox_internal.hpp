// The requests that reach a worker.
#pragma once

#include "run/trial_request.hpp"
#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>

namespace espalier {

// Reads its descriptor on a thread of its own, so that a request to stop, or the end of the input,
// is seen while a trial runs. The end of the input in the middle of a trial ends the process.
class Inbox {
 public:
  explicit Inbox(int descriptor);
  Inbox(const Inbox&) = delete;
  Inbox& operator=(const Inbox&) = delete;
  ~Inbox();

  // Waits for the next request; empty at the end of the input.
  [[nodiscard]] std::optional<TrialRequest> next();
  // The trial that next() gave is over.
  void done();
  // Set once the host asks to stop.
  [[nodiscard]] const std::atomic<bool>& stop() const noexcept { return stop_; }

 private:
  void read(int descriptor);
  void take(const std::string& line);
  void end();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<TrialRequest> waiting_;
  bool busy_ = false;
  bool ended_ = false;
  std::atomic<bool> stop_{false};
  std::thread reader_;
};

}  // namespace espalier
