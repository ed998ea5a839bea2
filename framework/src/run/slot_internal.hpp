// A place for one worker, and the trial that it runs.
#pragma once

#include "run/scheduler.hpp"
#include <chrono>
#include <memory>
#include <optional>

namespace espalier {

struct RunningTrial {
  std::size_t trial;
  std::filesystem::path folder;
  std::chrono::steady_clock::time_point began;
};

// Why a trial ended without its worker saying so.
struct Violation {
  std::string cause;  // time, memory, signal, exit
  std::string error;
};

struct Slot {
  std::unique_ptr<WorkerProcess> worker;
  bool ready = false;
  std::optional<RunningTrial> running;
  std::optional<Violation> killed_for;

  [[nodiscard]] bool idle() const { return worker && ready && !running; }
};

// The limit that the running trial breaks now, if any.
[[nodiscard]] std::optional<Violation> broken_limit(const Slot& slot, const TrialLimits& limits);
// What the end of a process says about the trial that it ran.
[[nodiscard]] Violation violation_of(const WorkerEnd& end);
// `killed by signal 11 (Segmentation fault); last words: ...`
[[nodiscard]] std::string describe(const WorkerEnd& end);

}  // namespace espalier
