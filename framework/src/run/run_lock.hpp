// One run at a time in the folder of an experiment.
#pragma once

#include <espalier/core/file.hpp>
#include <filesystem>

namespace espalier {

// Holds an flock on `folder`/.lock while it lives. Worker processes inherit the descriptor, so that
// the folder counts as in use until the last of them has ended, even when their host was killed.
class RunLock {
 public:
  // Throws Error that names the process which has the lock; waits some seconds where that process
  // is gone and only its workers are still ending. Throws StorageError where the lock cannot be
  // written.
  explicit RunLock(const std::filesystem::path& folder);

  [[nodiscard]] int descriptor() const noexcept { return open_.get(); }

  // Whether somebody has it now. Throws Error where it cannot be told.
  [[nodiscard]] static bool held(const std::filesystem::path& folder);

 private:
  Descriptor open_;
};

}  // namespace espalier
