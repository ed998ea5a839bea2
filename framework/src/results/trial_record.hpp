// What the folder of a trial says about it.
#pragma once

#include "results/result_file.hpp"
#include "results/trial_result.hpp"
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

enum class TrialStatus {
  planned,  // never begun, or to be run again because its result.h5 is no longer whole
  running,  // begun, and neither ended nor stopped: running now, or killed with its host
  stopped,  // asked to stop; a checkpoint may be there
  complete,
  failed,
};

[[nodiscard]] std::string_view to_string(TrialStatus status);

// `kind/name` of components, and the builds of their libraries (plugin/build_id.hpp).
using Builds = std::map<std::string, std::string>;

struct TrialRecord {
  TrialStatus status = TrialStatus::planned;
  TrialResult result;  // trial_id, combo_id, attempt; when complete all numbers
  // Of a complete trial; empty when result.h5 is not the file that the journal tells of, but can be
  // read: `result` then has the metrics too.
  std::optional<ResultExtent> extent;
  Builds builds;           // of a complete trial, as far as its journal has them
  std::string error;       // of a failed trial
  double began = missing;  // seconds since 1970
  double ended = missing;
  std::int64_t last_epoch = -1;       // of a trial that is running or stopped
  std::vector<std::string> warnings;  // damaged lines, a result.h5 that is cut or edited
};

// Reads the journal and compares result.h5 with what it says; changes nothing. `hasher` spares
// reading files that it knows. Throws Error when a newer version wrote the journal, and when
// something else than a file is in the place of either.
[[nodiscard]] TrialRecord read_trial(const std::filesystem::path& folder, ContentHasher& hasher);
// The same, knowing no file.
[[nodiscard]] TrialRecord read_trial(const std::filesystem::path& folder);

// Where the digests of results below `results` are remembered.
[[nodiscard]] std::filesystem::path result_digests(const std::filesystem::path& results);

// Adds /metrics of a trial: of a complete one from result.h5, else from the journal.
void add_metrics(const std::filesystem::path& folder, const TrialRecord& record,
                 MetricsColumns& into);

// The records of a journal.
[[nodiscard]] Json start_record(const std::string& trial_id, const std::string& combo_id,
                                std::int64_t attempt);
[[nodiscard]] Json epoch_record(const EpochMetrics& metrics);
[[nodiscard]] Json stopped_record();
[[nodiscard]] Json complete_record(const TrialResult& result, const ResultExtent& extent);
// `cause` is exception, signal, exit, time or memory.
[[nodiscard]] Json failed_record(std::string_view cause, const std::string& error);

}  // namespace espalier
