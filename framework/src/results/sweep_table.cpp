#include "results/sweep_table.hpp"
#include "results/build_mix.hpp"
#include "results/statistics.hpp"
#include "results/trial_fields.hpp"
#include <numeric>
#include <unordered_map>

namespace espalier {
namespace {

constexpr std::size_t longest_error = 500;

// One column of texts, by a function of the row.
template <class Text>
std::vector<std::string> texts(std::size_t rows, Text text) {
  std::vector<std::string> list;
  list.reserve(rows);
  for (std::size_t i = 0; i < rows; ++i) list.push_back(text(i));
  return list;
}

void add_axes(Table& table, const PlanTable& plan, const std::vector<std::size_t>& rows) {
  for (std::size_t axis = 0; axis < plan.axes.size(); ++axis) {
    if (plan.axes[axis].key == "seed") continue;
    std::vector<Json> values;
    values.reserve(rows.size());
    for (const std::size_t row : rows) values.push_back(plan.rows[row].values[axis]);
    table.add(plan.axes[axis].key, column_of(values));
  }
}

std::vector<std::size_t> all_rows(std::size_t count) {
  std::vector<std::size_t> rows(count);
  std::iota(rows.begin(), rows.end(), std::size_t{0});
  return rows;
}

std::string shortened(const std::string& text) {
  if (text.size() <= longest_error) return text;
  std::size_t end = longest_error;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

void add_spread(Table& table, const std::string& name, const std::vector<Spread>& spreads) {
  const std::pair<const char*, double Spread::*> parts[] = {
      {"_mean", &Spread::mean}, {"_std", &Spread::std},     {"_median", &Spread::median},
      {"_iqr", &Spread::iqr},   {"_ci_lo", &Spread::ci_lo}, {"_ci_hi", &Spread::ci_hi}};
  for (const auto& [suffix, part] : parts) {
    std::vector<double> values;
    for (const Spread& spread : spreads) values.push_back(spread.*part);
    table.add(name + suffix, std::move(values));
  }
}

}  // namespace

SweepTable SweepTable::read(const std::filesystem::path& folder, bool live) {
  ContentHasher hasher(result_digests(folder.parent_path()));
  return read(folder, live, hasher);
}

SweepTable SweepTable::read(const std::filesystem::path& folder, bool live, ContentHasher& hasher) {
  SweepTable sweep{folder, PlanTable::read(folder / "plan.jsonl"), {}};
  sweep.records.reserve(sweep.plan.rows.size());
  for (const PlanRow& row : sweep.plan.rows) {
    TrialRecord record = read_trial(folder / "trials" / row.trial_id, hasher);
    if (!live && record.status == TrialStatus::running) record.status = TrialStatus::stopped;
    sweep.records.push_back(std::move(record));
  }
  return sweep;
}

std::vector<std::vector<std::size_t>> complete_combinations(const SweepTable& sweep) {
  std::vector<std::vector<std::size_t>> groups;
  std::unordered_map<std::string, std::size_t> group_of;
  for (std::size_t i = 0; i < sweep.records.size(); ++i) {
    if (sweep.records[i].status != TrialStatus::complete) continue;
    const auto [it, fresh] = group_of.try_emplace(sweep.plan.rows[i].combo_id, groups.size());
    if (fresh) groups.emplace_back();
    groups[it->second].push_back(i);
  }
  return groups;
}

Table trials_table(const SweepTable& sweep) {
  const std::vector<PlanRow>& plan = sweep.plan.rows;
  const std::vector<TrialRecord>& records = sweep.records;
  const std::size_t rows = plan.size();
  std::vector<std::int64_t> seeds;
  for (const PlanRow& row : plan) seeds.push_back(row.seed);

  Table table;
  table.add("trial_id", texts(rows, [&](std::size_t i) { return plan[i].trial_id; }));
  table.add("combo_id", texts(rows, [&](std::size_t i) { return plan[i].combo_id; }));
  table.add("status",
            texts(rows, [&](std::size_t i) { return std::string(to_string(records[i].status)); }));
  table.add("seed", std::move(seeds));
  add_axes(table, sweep.plan, all_rows(rows));
  for (const TrialField& field : trial_fields()) {
    table.add(std::string(field.name),
              field_column(
                  field, rows, [&](std::size_t i) -> const auto& { return records[i].result; }));
  }
  table.add("tuned", texts(rows, [&](std::size_t i) { return records[i].result.tuned; }));
  table.add("error", texts(rows, [&](std::size_t i) { return shortened(records[i].error); }));
  table.add("file", texts(rows, [&](std::size_t i) {
              const bool there = records[i].status == TrialStatus::complete;
              return there ? "trials/" + plan[i].trial_id + "/result.h5" : std::string();
            }));
  const BuildMix mix(records);
  table.add("builds", texts(rows, [&](std::size_t i) { return mix.of(records[i]); }));
  table.add("graph_protocol", texts(rows, [&](std::size_t i) { return plan[i].graph_protocol; }));
  std::vector<Flag> sees_test;
  for (const PlanRow& row : plan) sees_test.push_back(row.sees_test ? Flag::yes : Flag::no);
  table.add("sees_test", std::move(sees_test));
  return table;
}

Table sweep_metrics_table(const SweepTable& sweep) {
  std::vector<std::int32_t> trial;
  MetricsColumns rows;
  for (std::size_t i = 0; i < sweep.records.size(); ++i) {
    add_metrics(sweep.folder / "trials" / sweep.plan.rows[i].trial_id, sweep.records[i], rows);
    trial.resize(rows.rows(), static_cast<std::int32_t>(i));
  }
  Table table;
  table.add("trial_idx", std::move(trial));
  std::move(rows).move_to(table);
  return table;
}

Table combinations_table(const SweepTable& sweep) {
  const auto groups = complete_combinations(sweep);
  std::vector<std::size_t> first;
  std::vector<std::int64_t> count;
  for (const auto& group : groups) {
    first.push_back(group.front());
    count.push_back(static_cast<std::int64_t>(group.size()));
  }
  Table table;
  table.add("combo_id", texts(groups.size(),
                              [&](std::size_t i) { return sweep.plan.rows[first[i]].combo_id; }));
  table.add("n", std::move(count));
  std::vector<Flag> sees_test;
  for (const std::size_t row : first) {
    sees_test.push_back(sweep.plan.rows[row].sees_test ? Flag::yes : Flag::no);
  }
  table.add("sees_test", std::move(sees_test));
  add_axes(table, sweep.plan, first);
  for (const std::string_view name : swept_metrics) {
    std::vector<Spread> spreads;
    for (const auto& group : groups) {
      std::vector<double> values;
      for (const std::size_t row : group) {
        values.push_back(metric_of(sweep.records[row].result, name));
      }
      spreads.push_back(spread_of(std::move(values)));
    }
    add_spread(table, std::string(name), spreads);
  }
  return table;
}

}  // namespace espalier
