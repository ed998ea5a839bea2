// What is left to do of a plan.
#pragma once

#include "experiment/plan.hpp"
#include "run/trial_queue.hpp"
#include "run/trial_store.hpp"
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace espalier {

// Trials are indices into Plan::trials(), of those that are planned.
struct Survey {
  std::size_t planned = 0;
  std::size_t complete = 0;
  std::vector<std::pair<std::size_t, std::filesystem::path>> elsewhere;  // complete in that folder
  std::vector<std::size_t> failed;                                       // and not to be run again
  std::size_t resumed = 0;  // of those to run: begun before
  std::vector<QueuedTrial> to_run;
  std::map<std::size_t, std::int64_t> attempts;  // so far, of those to run that were begun
  std::vector<std::string> warnings;             // one line each
};

// Reads the folders of all planned trials; changes nothing. Throws Error with every journal that a
// newer version wrote.
[[nodiscard]] Survey survey_trials(const Plan& plan, const TrialStore& store, bool retry_failed);

}  // namespace espalier
