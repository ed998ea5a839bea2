#include "results/report.hpp"
#include "results/build_mix.hpp"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <espalier/core/printable.hpp>
#include <numeric>
#include <set>
#include <unordered_map>

namespace espalier {
namespace {

using Lines = std::vector<std::vector<std::string>>;

// In characters, for text of any script that has one cell a character.
std::size_t width_of(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

std::string aligned(const Lines& lines) {
  std::vector<std::size_t> widths(lines.empty() ? 0 : lines[0].size());
  for (const auto& line : lines) {
    for (std::size_t i = 0; i < line.size(); ++i)
      widths[i] = std::max(widths[i], width_of(line[i]));
  }
  std::string text;
  for (const auto& line : lines) {
    std::string row;
    for (std::size_t i = 0; i < line.size(); ++i) {
      row += "  " + line[i] + std::string(widths[i] - width_of(line[i]), ' ');
    }
    text += row.substr(0, row.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

// Components as `gcn(layers=1)`.
std::string plain(const Json& value) {
  if (value.is_null()) return "-";
  if (value.is_string()) return printable(value.get<std::string>());
  if (!value.is_object() || !value.contains("use")) return printable(value.dump());
  std::string params;
  for (const auto& [key, param] : value.items()) {
    if (key != "use") params += (params.empty() ? "" : ", ") + key + "=" + plain(param);
  }
  return plain(value.at("use")) + (params.empty() ? "" : "(" + params + ")");
}

std::string percent(double mean, double std) {
  if (std::isnan(mean)) return "-";
  char text[64];
  if (std::isnan(std)) {
    std::snprintf(text, sizeof text, "%.1f", 100 * mean);
  } else {
    std::snprintf(text, sizeof text, "%.1f ± %.1f", 100 * mean, 100 * std);
  }
  return text;
}

const std::vector<double>& numbers(const Table& table, const char* name) {
  return std::get<std::vector<double>>(table.find(name)->values);
}

// Rows by falling validation accuracy, those without one last; ties stay in the order of the plan.
std::vector<std::size_t> ranking(const Table& combinations) {
  const std::vector<double>& val = numbers(combinations, "val_top1_mean");
  std::vector<std::size_t> order(combinations.rows());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto key = [&](std::size_t row) { return std::isnan(val[row]) ? -1.0 : val[row]; };
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return key(a) > key(b); });
  return order;
}

// A row of the plan for each combination.
std::vector<const PlanRow*> first_rows(const PlanTable& plan, const Table& combinations) {
  std::unordered_map<std::string, const PlanRow*> row_of;
  for (const PlanRow& row : plan.rows) row_of.try_emplace(row.combo_id, &row);
  std::vector<const PlanRow*> rows;
  for (const auto& id : std::get<std::vector<std::string>>(combinations.find("combo_id")->values)) {
    rows.push_back(row_of.at(id));
  }
  return rows;
}

std::string protocols(const SweepTable& sweep) {
  std::set<std::string> names;
  for (const PlanRow& row : sweep.plan.rows) {
    if (!row.graph_protocol.empty()) names.insert(row.graph_protocol);
  }
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

std::string caption(const SweepTable& sweep, std::size_t shown, std::size_t total) {
  std::string text =
      printable(sweep.plan.name) + ": accuracy in %, mean ± standard deviation over n seeds";
  if (total > 1) text += ", best validation first";
  if (const std::string graph = protocols(sweep); !graph.empty()) text += "; graph: " + graph;
  if (shown < total) {
    text += "\n" + std::to_string(shown) + " of " + std::to_string(total) +
            " combinations; all are in sweep.h5 under /agg";
  }
  return text + "\n\n";
}

// Combinations with trials of components of which the sweep has more than one build.
std::set<std::string> combinations_of(const SweepTable& sweep, const BuildMix& mix) {
  std::set<std::string> ids;
  for (std::size_t i = 0; i < sweep.records.size(); ++i) {
    const bool complete = sweep.records[i].status == TrialStatus::complete;
    if (complete && !mix.of(sweep.records[i]).empty()) ids.insert(sweep.plan.rows[i].combo_id);
  }
  return ids;
}

std::string footnote(const BuildMix& mix) {
  if (mix.empty()) return {};
  return "\n* made by different builds of one component, which may not be comparable:\n" +
         mix.text();
}

}  // namespace

std::string best_combinations(const SweepTable& sweep, std::size_t rows) {
  const Table table = combinations_table(sweep);
  if (table.rows() == 0) return {};
  const std::vector<const PlanRow*> rows_of = first_rows(sweep.plan, table);
  std::vector<std::size_t> axes;
  for (std::size_t i = 0; i < sweep.plan.axes.size(); ++i) {
    if (sweep.plan.axes[i].key != "seed") axes.push_back(i);
  }
  Lines lines(1);
  for (const std::size_t axis : axes) lines[0].push_back(printable(sweep.plan.axes[axis].key));
  lines[0].insert(lines[0].end(), {"n", "val_top1", "test_top1"});

  const BuildMix mix(sweep.records);
  const std::set<std::string> mixed = combinations_of(sweep, mix);
  const auto& counts = std::get<std::vector<std::int64_t>>(table.find("n")->values);
  std::vector<std::size_t> order = ranking(table);
  order.resize(std::min(order.size(), rows));
  for (const std::size_t row : order) {
    std::vector<std::string>& line = lines.emplace_back();
    for (const std::size_t axis : axes) line.push_back(plain(rows_of[row]->values[axis]));
    const bool marked = mixed.contains(rows_of[row]->combo_id);
    line.push_back(std::to_string(counts[row]) + (marked ? "*" : ""));
    for (const std::string name : {"val_top1", "test_top1"}) {
      line.push_back(percent(numbers(table, (name + "_mean").c_str())[row],
                             numbers(table, (name + "_std").c_str())[row]));
    }
  }
  return caption(sweep, order.size(), table.rows()) + aligned(lines) + footnote(mix);
}

std::string failed_trials(const SweepTable& sweep) {
  std::string text;
  for (std::size_t i = 0; i < sweep.records.size(); ++i) {
    if (sweep.records[i].status != TrialStatus::failed) continue;
    std::string error = printable_lines(sweep.records[i].error);
    for (std::size_t at = 0; (at = error.find('\n', at)) != std::string::npos; at += 5) {
      error.replace(at, 1, "\n    ");
    }
    text += "  " + trial_label(sweep.plan, i) + " (" + sweep.plan.rows[i].trial_id.substr(0, 12) +
            "): " + error + "\n";
  }
  return text;
}

std::string trial_label(const PlanTable& plan, std::size_t row) {
  std::string text;
  for (std::size_t i = 0; i < plan.axes.size(); ++i) {
    const Json& value = plan.rows[row].values[i];
    if (value.is_null()) continue;
    text += (text.empty() ? "" : " ") + plan.axes[i].key + "=" + plain(value);
  }
  return text.empty() ? plan.rows[row].trial_id.substr(0, 12) : text;
}

}  // namespace espalier
