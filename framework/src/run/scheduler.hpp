// Hands trials to worker processes until none is left.
#pragma once

#include "run/trial_queue.hpp"
#include "run/trial_request.hpp"
#include "run/worker_process.hpp"
#include <chrono>
#include <cstdint>
#include <espalier/core/error.hpp>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

// Of one trial; 0: none.
struct TrialLimits {
  double seconds = 0;
  std::int64_t bytes = 0;  // of resident memory of the worker, LibTorch's own included
};

enum class TrialOutcome { complete, failed, stopped };

// Told what happens, in the thread that runs the scheduler. `slot` counts workers from 0.
class SweepObserver {
 public:
  virtual ~SweepObserver() = default;
  virtual void started(std::size_t slot, std::size_t trial) = 0;
  virtual void stage(std::size_t slot, std::string_view name) = 0;
  // How far that stage is, of what the trial lacked.
  virtual void progress(std::size_t slot, std::string_view stage, std::size_t done,
                        std::size_t all) = 0;
  virtual void warning(const std::string& text) = 0;  // of a trial
  // Of `val`, or of `train` where there are no validation images.
  virtual void epoch(std::size_t slot, std::int64_t epoch, const std::string& split,
                     double top1) = 0;
  virtual void ended(std::size_t slot, std::size_t trial, TrialOutcome outcome,
                     const std::string& error) = 0;
  virtual void stopping(int signal) = 0;
  virtual void overdue(std::size_t workers) = 0;  // they did not stop in time and were killed
  virtual void tick() = 0;                        // ten times a second and more
};

struct SchedulerOptions {
  WorkerCommand worker;
  std::size_t workers = 1;
  TrialLimits limits;
  std::chrono::milliseconds grace{std::chrono::seconds(20)};  // to stop in, after a signal
  // The request for a trial, or empty where it turned out to be done already.
  std::function<std::optional<TrialRequest>(std::size_t trial)> request;
};

struct SweepEnd {
  bool at_once = false;            // workers were killed: a second signal came, or grace was over
  int signal = 0;                  // that stopped the sweep, else 0
  std::optional<Problem> storage;  // the disk is full or cannot be written; the sweep ended early
};

// A trial that throws is failed by its worker. One whose worker dies or is killed for a limit is
// failed here, in its journal, and the worker is replaced. On the first of StopSignals' signals
// workers stop after their epoch; on the second, or where they have not stopped after `grace`, they
// are killed. Throws Error when workers cannot be started at all.
[[nodiscard]] SweepEnd run_trials(const SchedulerOptions& options,
                                  const std::vector<QueuedTrial>& trials, SweepObserver& observer);

}  // namespace espalier
