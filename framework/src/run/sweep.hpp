// Runs a plan: what `espalier run` does.
#pragma once

#include "cache/stage_entry.hpp"
#include "experiment/plan.hpp"
#include "results/sweep_table.hpp"
#include "run/scheduler.hpp"
#include "run/survey.hpp"
#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>

namespace espalier {

struct SweepOptions {
  std::filesystem::path results;
  WorkerCommand worker;  // its lock is set by run_sweep()
  std::size_t workers = 1;
  TrialLimits limits;
  std::chrono::seconds grace{20};             // for workers to stop in, after a signal
  std::int64_t cache_limit = unlimited;       // bytes of stages that are stored
  std::int64_t activation_limit = unlimited;  // bytes of one stage of activations
  bool retry_failed = false;
};

struct SweepResult {
  SweepEnd end;
  std::optional<SweepTable> table;  // absent when the sweep was stopped at once, or storing failed
};

// Called once it is known what is left to do; gives whom to tell what happens.
using SweepAnnouncement = std::function<SweepObserver&(const Survey& survey)>;

// Takes the experiment's folder for itself, writes plan.jsonl, takes over what other experiments
// have done, runs the rest, and writes sweep.h5 and trials.csv. Throws Error when the folder is in
// use or cannot be written, when workers cannot be started, and when a newer version wrote a
// journal.
[[nodiscard]] SweepResult run_sweep(const Plan& plan, const SweepOptions& options,
                                    const SweepAnnouncement& announce);

}  // namespace espalier
