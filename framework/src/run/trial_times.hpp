// How long trials take on this machine: measured on short ones, and kept.
#pragma once

#include "results/trial_result.hpp"
#include "run/sweep.hpp"
#include <cstdint>
#include <espalier/core/json.hpp>
#include <filesystem>
#include <map>
#include <string>

namespace espalier {

// Of a trial that finds in the cache what it shares with others.
struct TrialTime {
  double fixed = 0;         // seconds beside the epochs: evaluation before and after them
  double epoch = 0;         // seconds of each
  double shared = missing;  // seconds of what is below the trained layers, of all its pictures
  std::int64_t peak_bytes = 0;
  std::size_t graphs = 0;  // that it tries, where validation chooses one
};

// Of a trial that trained a few epochs.
[[nodiscard]] TrialTime time_of(const TrialResult& pilot);
// Of a trial with this configuration, every candidate of `tune` included.
[[nodiscard]] double seconds_of(const TrialTime& time, const Json& config);

// Times by combo_id, in a file. Those of another machine are forgotten.
class TrialTimes {
 public:
  // A file that is of no use counts as empty.
  TrialTimes(std::filesystem::path file, std::string machine);

  [[nodiscard]] const TrialTime* find(const std::string& combo_id) const;
  void add(const std::string& combo_id, const TrialTime& time) { times_[combo_id] = time; }
  // Where it cannot be written, it is measured again the next time.
  void save() const;

 private:
  std::filesystem::path file_;
  std::string machine_;
  std::map<std::string, TrialTime> times_;
};

// The processor and how it is shared out, as a name.
[[nodiscard]] std::string machine_name(std::size_t workers, int threads);

// Trains the first epochs of a trial of each planned combination that `times` does not know, side
// by side as a sweep would, and adds what it took. The cache keeps what they share; of themselves
// nothing is left. One that fails is left out.
SweepEnd measure_times(const Plan& plan, const SweepOptions& options, SweepObserver& observer,
                       TrialTimes& times);

}  // namespace espalier
