// One run at a time in the folder of an experiment.
#pragma once

#include <filesystem>

namespace espalier {

// Holds an flock on `folder`/.lock while it lives. Worker processes inherit the descriptor, so that
// the folder counts as in use until the last of them has ended, even when their host was killed.
class RunLock {
 public:
  // Throws Error that names the process which has the lock; waits some seconds where that process
  // is gone and only its workers are still ending.
  explicit RunLock(const std::filesystem::path& folder);
  RunLock(const RunLock&) = delete;
  RunLock& operator=(const RunLock&) = delete;
  ~RunLock();

  [[nodiscard]] int descriptor() const noexcept { return fd_; }

  // Whether somebody has it now.
  [[nodiscard]] static bool held(const std::filesystem::path& folder);

 private:
  int fd_;
};

}  // namespace espalier
