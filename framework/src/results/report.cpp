#include <algorithm>
#include <cmath>
#include <cstdio>
#include <espalier/results/report.hpp>
#include <numeric>
#include <set>

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

std::string plain(const Json& value) {
  if (value.is_null()) return "-";
  return value.is_string() ? value.get<std::string>() : value.dump();
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

std::string cell(const Column& column, std::size_t row) {
  return std::visit(
      [row](const auto& list) -> std::string {
        using Value = typename std::decay_t<decltype(list)>::value_type;
        if constexpr (std::is_same_v<Value, Flag>) {
          return list[row] == Flag::yes ? "true" : "false";
        } else {
          return plain(Json(list[row]));
        }
      },
      column.values);
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
  std::string text = sweep.plan.name + ": accuracy in %, mean ± standard deviation over n seeds";
  if (total > 1) text += ", best validation first";
  if (const std::string graph = protocols(sweep); !graph.empty()) text += "; graph: " + graph;
  if (shown < total) {
    text += "\n" + std::to_string(shown) + " of " + std::to_string(total) +
            " combinations; all are in sweep.h5 under /agg";
  }
  return text + "\n\n";
}

}  // namespace

std::string best_combinations(const SweepTable& sweep, std::size_t rows) {
  const Table table = combinations_table(sweep);
  if (table.rows() == 0) return {};
  std::vector<const Column*> axes;
  for (const PlanAxis& axis : sweep.plan.axes) {
    if (axis.key != "seed") axes.push_back(table.find(axis.key));
  }
  Lines lines(1);
  for (const Column* axis : axes) lines[0].push_back(axis->name);
  lines[0].insert(lines[0].end(), {"n", "val_top1", "test_top1"});

  std::vector<std::size_t> order = ranking(table);
  order.resize(std::min(order.size(), rows));
  for (const std::size_t row : order) {
    std::vector<std::string>& line = lines.emplace_back();
    for (const Column* axis : axes) line.push_back(cell(*axis, row));
    line.push_back(cell(*table.find("n"), row));
    for (const std::string name : {"val_top1", "test_top1"}) {
      line.push_back(percent(numbers(table, (name + "_mean").c_str())[row],
                             numbers(table, (name + "_std").c_str())[row]));
    }
  }
  return caption(sweep, order.size(), table.rows()) + aligned(lines);
}

std::string failed_trials(const SweepTable& sweep) {
  std::string text;
  for (std::size_t i = 0; i < sweep.records.size(); ++i) {
    if (sweep.records[i].status != TrialStatus::failed) continue;
    std::string error = sweep.records[i].error;
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
