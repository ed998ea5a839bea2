// The finished trials of any number of experiments, by the values of axes and by what else they
// share.
#pragma once

#include "results/sweep_table.hpp"
#include <cstddef>
#include <cstdint>
#include <espalier/core/json.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace espalier {

struct ComparedTrial {
  std::string name;          // `few: peft.use=lora seed=1 (0997b2573fac)`
  std::vector<Json> values;  // of the axes; null where it has none or it makes no difference
  Json config;
  // The rest of the configuration, the builds of its components and the content of its data, equal
  // in trials that make a pair. Of an axis that chooses a component (`peft`, `peft.use`) the rest
  // is without that section.
  std::string shared;
  std::string data;  // dataset and protocol but for the seed of the split: what may be averaged
  bool sees_test = false;  // as PlanRow has it
  std::string draw;  // seed and seed of the split: what is drawn anew makes a trial of its own
  TrialRecord record;
};

struct ComparedTrials {
  std::vector<ComparedTrial> trials;
  // Those that have no part, by why: "failed", "not finished", ... with their names.
  std::map<std::string, std::vector<std::string>> left_out;
};

// Of a trial that stands in several folders the first counts. Throws Error when no trial is
// finished, and when an axis is `seed` or in no configuration; `metric` is a trial field.
[[nodiscard]] ComparedTrials compared_trials(const std::vector<SweepTable>& sweeps,
                                             const std::vector<std::string>& axes,
                                             const std::string& metric);

// Values by dotted key of those settings in which the configurations differ, without those of
// ComparedTrial::draw.
using Settings = std::map<std::string, std::set<Json>>;
[[nodiscard]] Settings differing_settings(const std::vector<const Json*>& configs);
// `train.lr (0.001, 0.01), train.views (0, 4)`; of components that differ, without the parameters
// that some of them do not have.
[[nodiscard]] std::string settings_text(const Settings& settings);

// Whether an axis chooses what is tested on, so that its values share no test images.
[[nodiscard]] bool changes_test_images(const std::string& axis);

}  // namespace espalier
