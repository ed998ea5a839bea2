#include "results/report.hpp"
#include "results/build_mix.hpp"
#include "results/statistics.hpp"
#include "results/trial_fields.hpp"
#include "results/value_text.hpp"
#include <algorithm>
#include <cmath>
#include <espalier/core/error.hpp>
#include <espalier/core/printable.hpp>
#include <espalier/core/words.hpp>
#include <set>

namespace espalier {
namespace {

std::string cell(std::string_view metric, const Spread& spread) {
  if (std::isnan(spread.mean)) return "-";
  const std::string mean = number_text(metric, spread.mean);
  return std::isnan(spread.std) ? mean : mean + " ± " + number_text(metric, spread.std);
}

// A row of the table: the complete trials of one combination.
struct Combination {
  std::vector<std::size_t> trials;  // rows of the plan
  double val = missing;             // mean validation accuracy
  bool untrained = false;           // of one of them at least the weights before training were kept
  bool sees_test = false;           // the test samples' features were in the training graph
  bool mixed = false;               // made by a component of which the sweep has several builds
};

Spread spread(const SweepTable& sweep, const Combination& combination, std::string_view metric) {
  std::vector<double> values;
  for (const std::size_t row : combination.trials) {
    values.push_back(metric_of(sweep.records[row].result, metric));
  }
  return spread_of(std::move(values));
}

std::vector<Combination> combinations_of(const SweepTable& sweep, const BuildMix& mix) {
  std::vector<Combination> list;
  for (std::vector<std::size_t>& trials : complete_combinations(sweep)) {
    Combination& combination = list.emplace_back();
    combination.trials = std::move(trials);
    combination.sees_test = sweep.plan.rows[combination.trials.front()].sees_test;
    combination.val = spread(sweep, combination, "val_top1").mean;
    for (const std::size_t row : combination.trials) {
      const TrialRecord& record = sweep.records[row];
      combination.untrained = combination.untrained || kept_untrained(record.result);
      combination.mixed = combination.mixed || !mix.of(record).empty();
    }
  }
  return list;
}

// By falling validation accuracy, those without one last, ties in the order of the plan; then,
// where that is asked for, by the values of an axis.
void order(std::vector<Combination>& list, const PlanTable& plan, const std::string& by) {
  const auto key = [](const Combination& c) { return std::isnan(c.val) ? -1.0 : c.val; };
  std::stable_sort(list.begin(), list.end(),
                   [&](const auto& a, const auto& b) { return key(a) > key(b); });
  const auto axis = std::find_if(plan.axes.begin(), plan.axes.end(),
                                 [&](const PlanAxis& a) { return a.key == by; });
  if (axis == plan.axes.end()) return;
  const auto at = static_cast<std::size_t>(axis - plan.axes.begin());
  const auto value = [&](const Combination& c) -> const Json& {
    return plan.rows[c.trials.front()].values[at];
  };
  std::stable_sort(list.begin(), list.end(),
                   [&](const auto& a, const auto& b) { return value_before(value(a), value(b)); });
}

std::string protocols(const SweepTable& sweep) {
  std::set<std::string> names;
  for (const PlanRow& row : sweep.plan.rows) {
    if (!row.graph_protocol.empty()) names.insert(row.graph_protocol);
  }
  return joined({names.begin(), names.end()});
}

std::string caption(const SweepTable& sweep, const TableView& view, std::size_t total) {
  const bool shares = std::all_of(view.metrics.begin(), view.metrics.end(), is_share);
  std::string text = printable(sweep.plan.name) +
                     (shares ? ": accuracy in %, " : ": shares in %, ") +
                     "mean ± standard deviation over n seeds";
  if (total > 1) text += view.by.empty() ? ", best validation first" : ", by " + printable(view.by);
  if (const std::string graph = protocols(sweep); !graph.empty()) text += "; graph: " + graph;
  if (view.rows < total) {
    text += "\n" + std::to_string(view.rows) + " of " + std::to_string(total) +
            " combinations; all are in sweep.h5 under /agg";
  }
  return text + "\n\n";
}

std::string footnote(const BuildMix& mix) {
  if (mix.empty()) return {};
  return "\n* made by different builds of one component, which may not be comparable:\n" +
         mix.text();
}

constexpr const char* untrained_note =
    "\n+ best_epoch 0: in one of the trials at least no epoch was better on validation than the\n"
    "  untrained weights, which were kept; look at train.lr, train.epochs and the curves\n";

constexpr const char* sees_test_note =
    "\n^ transductive: the test samples' features were in the training graph, so that these rows "
    "are\n"
    "  to be compared among themselves alone\n";

std::vector<std::string> heading(const PlanTable& plan, const TableView& view) {
  std::vector<std::string> line;
  for (const PlanAxis& axis : plan.axes) {
    if (axis.key != "seed") line.push_back(printable(axis.key));
  }
  line.emplace_back("n");
  line.insert(line.end(), view.metrics.begin(), view.metrics.end());
  return line;
}

std::vector<std::string> table_line(const SweepTable& sweep, const Combination& combination,
                                    const TableView& view) {
  std::vector<std::string> line;
  const std::vector<Json>& values = sweep.plan.rows[combination.trials.front()].values;
  for (std::size_t axis = 0; axis < values.size(); ++axis) {
    if (sweep.plan.axes[axis].key != "seed") line.push_back(plain(values[axis]));
  }
  line.push_back(std::to_string(combination.trials.size()) + (combination.mixed ? "*" : ""));
  for (const std::string& metric : view.metrics) {
    line.push_back(cell(metric, spread(sweep, combination, metric)));
  }
  if (combination.untrained) line.back() += " +";
  if (combination.sees_test) line.back() += " ^";
  return line;
}

std::vector<std::string> metric_names() {
  std::vector<std::string> names;
  for (const TrialField& field : trial_fields()) names.emplace_back(field.name);
  return names;
}

void check_known(const std::string& what, const std::string& name,
                 const std::vector<std::string>& known, Problems& problems) {
  if (std::find(known.begin(), known.end(), name) != known.end()) return;
  problems.add({.what = "there is no " + what + " \"" + name + "\"",
                .where = "command line",
                .expected = known.empty() ? "nothing: no axis but seeds is swept"
                                          : "one of " + joined(known),
                .found = {},
                .fix = did_you_mean(name, known)});
}

}  // namespace

void check_view(const TableView& view, std::vector<std::string> axes) {
  std::erase(axes, "seed");
  Problems problems;
  if (!view.by.empty()) check_known("axis", view.by, axes, problems);
  const std::vector<std::string> metrics = metric_names();
  for (const std::string& metric : view.metrics) check_known("metric", metric, metrics, problems);
  problems.throw_if_any();
}

std::string combinations_text(const SweepTable& sweep, const TableView& view) {
  const BuildMix mix(sweep.records);
  std::vector<Combination> list = combinations_of(sweep, mix);
  if (list.empty()) return {};
  order(list, sweep.plan, view.by);
  std::string text = caption(sweep, view, list.size());
  list.resize(std::min(list.size(), view.rows));

  Lines lines{heading(sweep.plan, view)};
  for (const Combination& combination : list) {
    lines.push_back(table_line(sweep, combination, view));
  }
  return text + aligned(lines) +
         (std::ranges::any_of(list, &Combination::untrained) ? untrained_note : "") +
         (std::ranges::any_of(list, &Combination::sees_test) ? sees_test_note : "") + footnote(mix);
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
