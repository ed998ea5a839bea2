// What an axis chooses, over the finished trials of any number of experiments: each value by
// itself, and pair by pair against one of them.
//
// Trials are averaged only within one dataset and protocol: each such group is a comparison of its
// own. A pair is two trials that differ in the axes alone, seed and builds of the other components
// included; what has no partner takes no part in differences and is named.
#pragma once

#include "results/paired.hpp"
#include "results/statistics.hpp"
#include "results/sweep_table.hpp"
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

// Fields of trials that are shown beside the metric.
inline constexpr std::string_view cost_fields[] = {"trainable_parameters",
                                                   "method_parameters",
                                                   "budget_deviation",
                                                   "total_parameters",
                                                   "adapter_bytes",
                                                   "optimizer_bytes",
                                                   "peak_rss_bytes",
                                                   "peak_cuda_bytes",
                                                   "train_seconds",
                                                   "prefix_seconds",
                                                   "forward_seconds",
                                                   "backward_seconds",
                                                   "prefix_flops",
                                                   "forward_flops",
                                                   "backward_flops",
                                                   "inference_seconds",
                                                   "merged_inference_seconds",
                                                   "new_top1",
                                                   "harmonic_mean",
                                                   "new_zero_shot_top1",
                                                   "forgetting"};

struct ComparisonView {
  std::vector<std::string> by;       // dotted keys of the configuration
  std::string metric = "test_top1";  // of trial_fields()
  std::string against{};             // ComparedRow::label; empty: the best row
};

struct ComparedRow {
  std::vector<std::string> values{};  // of the axes; components by name and what tells them apart
  std::string label{};                // the values, joined by commas
  Spread metric{};                    // over seeds, with the seed of the split, each one's mean
  std::size_t trials = 0;
  double parameters = missing;  // trainable, the mean
  std::map<std::string, std::size_t> tuned{};  // what `tune` chose, and in how many of the trials
  std::vector<double> costs{};  // means of cost_fields, missing where no trial has one
  bool front = false;      // no row has a better mean and as few parameters, or fewer and as good
  bool untrained = false;  // a trial kept the weights before training
  bool sees_test = false;  // the training graph of a trial held the test samples
  bool mixed = false;      // a component has several builds among the trials of the group
};

// A row less the reference. Pairs of one seed are averaged first: they are not independent of each
// other, and seeds are what the statistics are over.
struct Difference {
  std::size_t row = 0;
  std::int64_t pairs = 0;
  Spread spread{};  // over seeds
  SignFlip test{};
  double holm = missing;                // corrected over the differences of the group
  double smallest = missing;            // p that so many seeds can show
  double detectable = missing;          // difference that so many seeds would see in 80 % of cases
  std::vector<std::string> unpaired{};  // trials of either row without a partner
  std::string apart{};                  // without any pair: the settings that no two trials share
};

struct ComparedGroup {
  std::string name;               // what tells it from the other groups; empty where there is one
  std::vector<ComparedRow> rows;  // best mean first
  std::size_t reference = 0;      // the number of rows where `against` is none of them
  std::vector<Difference> differences{};  // none either where the axis changes the test images
  // What Holm's p of these differences cannot fall below, whatever the trials say.
  double smallest_holm = missing;
  std::string over{};    // settings but seeds in which the trials of a row differ
  std::string builds{};  // BuildMix::text()
};

struct AxisComparison {
  ComparisonView view;
  std::vector<ComparedGroup> groups;
  std::map<std::string, std::vector<std::string>> left_out;  // ComparedTrials::left_out
};

// The mean of one of cost_fields.
[[nodiscard]] double cost_of(const ComparedRow& row, std::string_view field);

// Whether a larger value of a metric is the better one.
[[nodiscard]] bool larger_is_better(std::string_view metric);

// Fewer seeds with pairs than this allow no claim whatever their p.
inline constexpr std::int64_t fewest_pairs = 5;
// Fewer seeds have no interval.
inline constexpr std::int64_t fewest_for_interval = 3;

// Throws Error as compared_trials() does, and when the metric is none, there is one value only,
// `against` names no row, or trials of one row differ in nothing that is paired.
[[nodiscard]] AxisComparison compare(const std::vector<SweepTable>& sweeps,
                                     const ComparisonView& view);

}  // namespace espalier
