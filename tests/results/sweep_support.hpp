// A finished sweep on disk, made without running anything.
#pragma once

#include "results/journal.hpp"
#include "results/result_file.hpp"
#include "results/trial_record.hpp"
#include <espalier/core/hash.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace espalier {

struct MadeTrial {
  Json axes;          // as in plan.jsonl
  std::string combo;  // short names for ids
  std::int64_t seed = 0;
  double val_top1 = 0.5;
  std::string state = "complete";  // complete, failed, running, planned
  std::int64_t epochs = 2;
  Json sections = Json::object();  // more of the configuration in the plan
  Json builds = Json::object();    // of its components
  bool untrained = false;          // the start was the best
  Json stages = Json::object();    // keys of them
};

inline void write_plan(const std::filesystem::path& folder, const std::vector<std::string>& keys,
                       const std::vector<MadeTrial>& trials) {
  std::string lines;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    Json config = {{"seed", trials[i].seed},
                   {"protocol", {{"graph", "inductive_attach"}}},
                   {"graph", {{"use", "knn"}, {"tau", 0.7}}}};
    config.update(trials[i].sections);
    lines += Json{{"trial_id", "trial" + std::to_string(i)},
                  {"combo_id", trials[i].combo},
                  {"axes", trials[i].axes},
                  {"config", config},
                  {"stages", trials[i].stages}}
                 .dump() +
             "\n";
  }
  const Json header = {
      {"plan", 1}, {"name", "made"}, {"axes", keys}, {"sha256", hex(sha256(lines))}};
  std::ofstream(folder / "plan.jsonl", std::ios::binary) << header.dump() << "\n" << lines;
}

inline TrialResult made_result(const MadeTrial& trial, const std::string& id) {
  TrialResult result;
  result.trial_id = id;
  result.combo_id = trial.combo;
  result.seed = trial.seed;
  result.config = {{"seed", trial.seed}};
  result.val_top1 = trial.val_top1;
  result.test_top1 = trial.val_top1 - 0.1;
  result.epochs = trial.epochs;
  result.trainable_parameters = 1000;
  result.best_epoch = trial.untrained ? 0 : trial.epochs;
  result.total_seconds = 2;
  result.environment["builds"] = trial.builds;
  for (std::int32_t epoch = 0; epoch < trial.epochs; ++epoch) {
    result.metrics.push_back({epoch, epoch, "train", 1.0 / (epoch + 1), 0.5, 1e-3, 0.1 * epoch});
    result.metrics.push_back({epoch, epoch, "val", 1.5 / (epoch + 1), 0.25, missing, 0.1 * epoch});
  }
  return result;
}

inline void write_trial(const std::filesystem::path& folder, const MadeTrial& trial) {
  if (trial.state == "planned") return;
  std::filesystem::create_directories(folder);
  Journal journal(folder / "journal.jsonl");
  const TrialResult result = made_result(trial, folder.filename().string());
  journal.append(start_record(result.trial_id, trial.combo, 1));
  for (const EpochMetrics& row : result.metrics) journal.append(epoch_record(row));
  if (trial.state == "failed") journal.append(failed_record("exception", "it broke,\n\"badly\""));
  if (trial.state != "complete") return;
  const ResultExtent extent = write_result(folder / "result.h5", result);
  journal.append(complete_record(result, extent));
}

inline void write_experiment(const std::filesystem::path& folder,
                             const std::vector<std::string>& keys,
                             const std::vector<MadeTrial>& trials) {
  std::filesystem::create_directories(folder);
  write_plan(folder, keys, trials);
  for (std::size_t i = 0; i < trials.size(); ++i) {
    write_trial(folder / "trials" / ("trial" + std::to_string(i)), trials[i]);
  }
}

}  // namespace espalier
