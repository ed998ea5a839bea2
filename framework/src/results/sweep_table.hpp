// The trials of an experiment together: its plan, and what their folders say.
#pragma once

#include "results/table.hpp"
#include "results/trial_record.hpp"
#include <cstdint>
#include <espalier/core/json.hpp>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

// A line of plan.jsonl, without its configuration.
struct PlanRow {
  std::string trial_id;
  std::string combo_id;
  std::int64_t seed = -1;
  std::string graph_protocol;  // protocol.graph
  bool sees_test = false;      // it counts and is transductive
  // One an axis: what the configuration says where the trial's block does not sweep it, null where
  // it has no such key or the axis makes no difference to the trial.
  std::vector<Json> values;
};

struct PlanAxis {
  std::string key;
  std::vector<Json> values;  // distinct, in order of appearance
};

struct PlanTable {
  std::string name;
  std::string text;  // the whole file
  std::vector<PlanAxis> axes;
  std::vector<PlanRow> rows;

  // Throws Error when the file is none, is damaged, or comes from a newer version.
  static PlanTable read(const std::filesystem::path& file);
};

// What PlanRow leaves out.
struct PlanDetail {
  Json config;
  Json stages;  // keys by name
};

// Of each row of a plan that was read.
[[nodiscard]] std::vector<PlanDetail> plan_details(const PlanTable& plan);

struct SweepTable {
  std::filesystem::path folder;  // results/<experiment>
  PlanTable plan;
  std::vector<TrialRecord> records;  // one a row of the plan

  // Reads plan.jsonl and every trial's folder. With `live`, trials that have begun are running;
  // else they are stopped, for nobody runs them.
  static SweepTable read(const std::filesystem::path& folder, bool live);
  // The same with what `hasher` knows of files that were read before.
  static SweepTable read(const std::filesystem::path& folder, bool live, ContentHasher& hasher);
};

// The complete trials of each combination that has some, as rows of the plan in its order.
[[nodiscard]] std::vector<std::vector<std::size_t>> complete_combinations(const SweepTable& sweep);

// Of which statistics are taken and cubes made.
inline constexpr std::string_view swept_metrics[] = {
    "val_top1",      "test_top1", "test_top5", "test_macro_accuracy",
    "test_macro_f1", "test_loss", "test_ece"};

// One row a trial: trial_id combo_id status seed, the axes but `seed`, the fields of
// trial_fields(), tuned, error, file, builds, graph_protocol, sees_test. `file` is relative to the folder,
// empty where there is no result.h5; `builds` is BuildMix::of().
[[nodiscard]] Table trials_table(const SweepTable& sweep);
// One row a trial, epoch and split: trial_idx, then those of MetricsColumns.
[[nodiscard]] Table sweep_metrics_table(const SweepTable& sweep);
// One row a combination of which a trial is complete: combo_id, n, the axes but `seed`, then for
// each of swept_metrics NAME_mean, _std, _median, _iqr, _ci_lo, _ci_hi.
[[nodiscard]] Table combinations_table(const SweepTable& sweep);

}  // namespace espalier
