#include "results/comparison.hpp"
#include "results/build_mix.hpp"
#include "results/compared_pairs.hpp"
#include "results/compared_trials.hpp"
#include "results/report.hpp"
#include "results/trial_fields.hpp"
#include "results/value_text.hpp"
#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/core/words.hpp>
#include <set>

namespace espalier {
namespace {

using ByValues = std::map<std::vector<Json>, Trials>;

// Components by name and by those parameters in which others of that name differ.
std::string short_value(const Json& value, const std::set<Json>& all) {
  if (!value.is_object() || !value.contains("use")) return plain(value);
  std::vector<const Json*> namesakes;
  for (const Json& other : all) {
    if (other.is_object() && other.value("use", Json()) == value["use"]) {
      namesakes.push_back(&other);
    }
  }
  Json shortened{{"use", value["use"]}};
  for (const auto& [key, differing] : differing_settings(namesakes)) {
    if (const Json* param = value_under(value, key)) shortened[key] = *param;
  }
  return plain(shortened);
}

std::vector<std::string> short_values(const std::vector<Json>& values, const ByValues& all) {
  std::vector<std::string> texts;
  for (std::size_t axis = 0; axis < values.size(); ++axis) {
    std::set<Json> of_axis;
    for (const auto& [others, trials] : all) of_axis.insert(others[axis]);
    texts.push_back(short_value(values[axis], of_axis));
  }
  return texts;
}

double field_mean(const Trials& trials, std::string_view field) {
  std::vector<double> values;
  for (const ComparedTrial* trial : trials) {
    const double value = metric_of(trial->record.result, field);
    const bool counts = field.ends_with("_bytes") || field.ends_with("_parameters");
    values.push_back(counts && value < 0 ? missing : value);
  }
  return spread_of(std::move(values)).mean;
}

ComparedRow row_of(const Trials& trials, std::vector<std::string> values, const BuildMix& mix,
                   std::string_view metric) {
  ComparedRow row{.label = joined(values, ",")};
  row.values = std::move(values);
  row.trials = trials.size();
  ByDraw by_draw;
  for (const ComparedTrial* trial : trials) {
    by_draw[trial->draw].push_back(metric_of(trial->record.result, metric));
    row.untrained = row.untrained || kept_untrained(trial->record.result);
    row.sees_test = row.sees_test || trial->sees_test;
    row.mixed = row.mixed || !mix.of(trial->record).empty();
    if (const std::string& tuned = trial->record.result.tuned; !tuned.empty()) ++row.tuned[tuned];
  }
  row.metric = spread_of(means_of(by_draw));
  row.parameters = field_mean(trials, "trainable_parameters");
  for (const std::string_view field : cost_fields) row.costs.push_back(field_mean(trials, field));
  return row;
}

bool better(const ComparedRow& a, const ComparedRow& b, bool larger) {
  return larger ? a.metric.mean > b.metric.mean : a.metric.mean < b.metric.mean;
}

void mark_front(std::vector<ComparedRow>& rows, bool larger) {
  for (ComparedRow& row : rows) {
    row.front = std::none_of(rows.begin(), rows.end(), [&](const ComparedRow& other) {
      const bool no_worse = !better(row, other, larger) && other.parameters <= row.parameters;
      return no_worse && (better(other, row, larger) || other.parameters < row.parameters);
    });
  }
}

// The number of rows where there is none.
std::size_t reference_row(const std::vector<ComparedRow>& rows, const std::string& against) {
  if (against.empty()) return 0;
  const auto it = std::find_if(rows.begin(), rows.end(),
                               [&](const ComparedRow& row) { return row.label == against; });
  return static_cast<std::size_t>(it - rows.begin());
}

Settings settings_within_rows(const ByValues& rows, const ComparisonView& view) {
  Settings all;
  for (const auto& [values, trials] : rows) {
    std::vector<const Json*> configs;
    for (const ComparedTrial* trial : trials) configs.push_back(&trial->config);
    for (auto& [key, differing] : differing_settings(configs)) all[key].merge(differing);
  }
  for (const std::string& axis : view.by) all.erase(axis);
  return all;
}

struct Order {
  std::vector<ComparedRow> rows;
  std::vector<const Trials*> trials;
};

Order ordered_rows(const ByValues& by_values, const BuildMix& mix, const ComparisonView& view) {
  std::vector<std::pair<ComparedRow, const Trials*>> list;
  for (const auto& [values, trials] : by_values) {
    list.emplace_back(row_of(trials, short_values(values, by_values), mix, view.metric), &trials);
  }
  const bool larger = larger_is_better(view.metric);
  std::stable_sort(list.begin(), list.end(),
                   [&](const auto& a, const auto& b) { return better(a.first, b.first, larger); });
  Order order;
  for (auto& [row, trials] : list) {
    order.rows.push_back(std::move(row));
    order.trials.push_back(trials);
  }
  mark_front(order.rows, larger);
  return order;
}

void add_differences(ComparedGroup& group, const std::vector<const Trials*>& trials,
                     const ComparisonView& view) {
  std::vector<Partners> partners;
  for (std::size_t i = 0; i < group.rows.size(); ++i) {
    partners.push_back(partners_of(*trials[i], group.rows[i].label));
  }
  for (std::size_t i = 0; i < group.rows.size(); ++i) {
    if (i == group.reference) continue;
    group.differences.push_back(difference_of(i, partners[i], partners[group.reference], view));
  }
  correct_by_holm(group);
}

ComparedGroup group_of(const Trials& trials, const ComparisonView& view) {
  ByValues by_values;
  std::vector<TrialRecord> records;
  for (const ComparedTrial* trial : trials) {
    by_values[trial->values].push_back(trial);
    records.push_back(trial->record);
  }
  const BuildMix mix(records);
  Order order = ordered_rows(by_values, mix, view);
  ComparedGroup group{.name = {}, .rows = std::move(order.rows)};
  group.over = settings_text(settings_within_rows(by_values, view));
  group.builds = mix.text();
  group.reference = reference_row(group.rows, view.against);
  if (group.rows.size() < 2) return group;
  const bool other_images = std::any_of(view.by.begin(), view.by.end(), changes_test_images);
  if (other_images || group.reference == group.rows.size()) return group;
  add_differences(group, order.trials, view);
  return group;
}
// By the settings of dataset and protocol in which they differ.
void name_groups(std::vector<ComparedGroup>& groups, const std::map<std::string, Trials>& by_data) {
  std::vector<Json> data;
  for (const auto& [text, trials] : by_data) data.push_back(Json::parse(text));
  std::vector<const Json*> configs;
  for (const Json& one : data) configs.push_back(&one);
  const Settings settings = differing_settings(configs);
  for (std::size_t i = 0; i < groups.size(); ++i) {
    for (const auto& [key, values] : settings) {
      const Json* value = value_under(data[i], key);
      if (value == nullptr) continue;
      groups[i].name += (groups[i].name.empty() ? "" : " ") + key + "=" + plain(*value);
    }
  }
}

void check_comparable(const AxisComparison& comparison) {
  const ComparisonView& view = comparison.view;
  std::set<std::string> labels;
  std::size_t most = 0;
  for (const ComparedGroup& group : comparison.groups) {
    most = std::max(most, group.rows.size());
    for (const ComparedRow& row : group.rows) labels.insert(row.label);
  }
  const std::vector<std::string> known(labels.begin(), labels.end());
  if (most < 2) {
    throw Error({.what = "there is nothing to compare",
                 .where = "--by " + joined(view.by, ","),
                 .expected = "two values at least on one dataset and protocol",
                 .found = known.empty() ? "none" : joined(known, "; "),
                 .fix = "add folders of other experiments, or run more"});
  }
  if (view.against.empty() || labels.contains(view.against)) return;
  throw Error({.what = "there is no row \"" + view.against + "\"",
               .where = "--against",
               .expected = "one of " + joined(known, "; "),
               .found = {},
               .fix = did_you_mean(view.against, known)});
}

}  // namespace

double cost_of(const ComparedRow& row, std::string_view field) {
  const auto* it = std::find(std::begin(cost_fields), std::end(cost_fields), field);
  ESPALIER_ASSERT(it != std::end(cost_fields), "one of cost_fields");
  return row.costs[static_cast<std::size_t>(it - std::begin(cost_fields))];
}

bool larger_is_better(std::string_view metric) {
  return is_share(metric) && !metric.ends_with("_ece");
}

AxisComparison compare(const std::vector<SweepTable>& sweeps, const ComparisonView& view) {
  check_view({.metrics = {view.metric}}, {});
  ComparedTrials found = compared_trials(sweeps, view.by, view.metric);
  std::map<std::string, Trials> by_data;
  for (const ComparedTrial& trial : found.trials) by_data[trial.data].push_back(&trial);
  AxisComparison comparison{view, {}, std::move(found.left_out)};
  for (const auto& [data, trials] : by_data) comparison.groups.push_back(group_of(trials, view));
  name_groups(comparison.groups, by_data);
  check_comparable(comparison);
  return comparison;
}

}  // namespace espalier
