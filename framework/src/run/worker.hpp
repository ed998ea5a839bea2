// The worker's side of a sweep: takes requests, runs trials, keeps their folders, reports.
#pragma once

#include "run/trial_request.hpp"
#include <espalier/core/json.hpp>
#include <functional>
#include <optional>

namespace espalier {

// run_trial(), or something in its place.
using TrialFunction =
    std::function<std::optional<TrialResult>(const TrialRequest&, const TrialHooks&)>;

struct WorkerOptions {
  int in = 0;                         // requests
  int out = 1;                        // reports
  Loader* loader = nullptr;           // handed to the trial
  std::string device = "cpu";         // the same
  std::int64_t loaders = 1;           // the same
  Json environment = Json::object();  // joins the environment of every result
};

// Serves requests until the input ends, keeping datasets, encoders and what it read of the cache
// from trial to trial; ends the process when it ends in the middle of a trial. In the folder of a
// trial writes journal.jsonl, log.txt and result.h5. Whatever the trial throws is journaled and
// reported as its failure.
void serve_trials(const WorkerOptions& options, const TrialFunction& run);

// Makes the process end when its parent does, and leaves signals that ask to stop to the host:
// where a batch system sends them to all processes, a trial is stopped and not lost. A file over
// its limit (`ulimit -f`) is an error and no signal. Keeps the protocol to itself: the returned
// descriptor is the old standard output, and what plugins print goes to standard error.
[[nodiscard]] int begin_worker();

}  // namespace espalier
