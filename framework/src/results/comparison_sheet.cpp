#include "results/comparison_sheet.hpp"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <espalier/core/printable.hpp>
#include <espalier/core/words.hpp>

#include "comparison_sheet_internal.hpp"

namespace espalier {
namespace {

constexpr std::size_t most_names = 5;
constexpr double level = 0.05;

// Shares in percent, differences of them in points.
std::string measure(const std::string& metric, double value, bool sign) {
  if (is_share(metric)) return formatted(sign ? "%+.2f" : "%.2f", 100 * value);
  return formatted(sign ? "%+.4g" : "%.6g", value);
}

std::string interval(const std::string& metric, const Spread& spread, bool sign) {
  if (spread.n < fewest_for_interval) return "-";
  return "[" + measure(metric, spread.ci_lo, sign) + ", " + measure(metric, spread.ci_hi, sign) +
         "]";
}

std::string counted(std::size_t count, const std::string& one, const std::string& many) {
  return std::to_string(count) + " " + (count == 1 ? one : many);
}

std::string first_names(const std::vector<std::string>& names) {
  const std::size_t shown = std::min(names.size(), most_names);
  std::string text =
      joined({names.begin(), names.begin() + static_cast<std::ptrdiff_t>(shown)}, "; ");
  if (shown < names.size()) text += "; and " + std::to_string(names.size() - shown) + " more";
  return printable(text);
}

bool trials_differ_from_seeds(const ComparedGroup& group) {
  return std::any_of(group.rows.begin(), group.rows.end(), [](const ComparedRow& row) {
    return static_cast<std::size_t>(row.metric.n) != row.trials;
  });
}

bool pairs_differ_from_seeds(const ComparedGroup& group) {
  return std::any_of(group.differences.begin(), group.differences.end(),
                     [](const Difference& d) { return d.pairs != d.spread.n; });
}

std::vector<std::string> row_line(const ComparedRow& row, const std::string& metric, bool trials) {
  std::vector<std::string> line = row.values;
  line.push_back(measure(metric, row.metric.mean, false) + (row.untrained ? " +" : "") +
                 (row.sees_test ? " ^" : ""));
  line.push_back(interval(metric, row.metric, false));
  line.push_back(std::to_string(row.metric.n) + (row.mixed ? "*" : ""));
  if (trials) line.push_back(std::to_string(row.trials));
  line.push_back(formatted("%.12g", std::round(row.parameters)));
  line.push_back(formatted("%.0f", cost_of(row, "peak_rss_bytes") / (1 << 20)));
  line.push_back(formatted("%.3g", cost_of(row, "train_seconds")));
  line.emplace_back(row.front ? "•" : "");
  return line;
}

std::string on_one_line(std::string lines) {
  lines.pop_back();
  for (std::size_t at = 0; (at = lines.find('\n', at)) != std::string::npos;) {
    lines.replace(at, 1, "; ");
  }
  return lines;
}

std::string front_note(const std::string& metric) {
  return "• Pareto front: no other row has a better mean of " + metric +
         " with as few trainable parameters, or as good a mean with fewer";
}

// What validation chose for a row, the most frequent first: train.lr=0.01 (4), train.lr=0.1 (1).
std::string tuned_note(const ComparedRow& row) {
  std::vector<std::pair<std::size_t, std::string>> chosen;
  for (const auto& [settings, count] : row.tuned) chosen.emplace_back(count, settings);
  std::stable_sort(chosen.begin(), chosen.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::string> texts;
  for (const auto& [count, settings] : chosen) {
    texts.push_back(printable(settings) + " (" + std::to_string(count) + ")");
  }
  return "tuned on validation, " + row.label + ": " + joined(texts);
}

std::vector<std::string> row_notes(const ComparedGroup& group, const ComparisonView& view) {
  std::vector<std::string> notes{front_note(view.metric)};
  if (!group.over.empty())
    notes.push_back("trials of one seed are averaged first, over " + group.over);
  for (const ComparedRow& row : group.rows) {
    if (!row.tuned.empty()) notes.push_back(tuned_note(row));
  }
  const auto any = [&](auto member) {
    return std::any_of(group.rows.begin(), group.rows.end(), member);
  };
  if (any([](const ComparedRow& row) { return row.metric.n < fewest_for_interval; })) {
    notes.emplace_back("- fewer than 3 seeds have no interval");
  }
  if (any([](const ComparedRow& row) { return row.untrained; })) {
    notes.emplace_back(
        "+ best_epoch 0: in one of the trials at least the untrained weights were kept");
  }
  if (any([](const ComparedRow& row) { return row.sees_test; })) {
    notes.emplace_back("^ transductive: the test samples' features were in the training graph");
  }
  if (!group.builds.empty()) {
    notes.push_back("* made by different builds of one component, which may not be comparable: " +
                    on_one_line(group.builds));
  }
  return notes;
}

std::string row_caption(const ComparedGroup& group, const ComparisonView& view) {
  std::string text = view.metric + (is_share(view.metric) ? " in %" : "") + " by " +
                     joined(printable_keys(view.by)) + ": mean and 95 % interval (Student)";
  if (!larger_is_better(view.metric)) text += "; smaller is better";
  if (!group.name.empty()) text += "; " + group.name;
  return text;
}

Sheet row_sheet(const ComparedGroup& group, const ComparisonView& view) {
  const bool trials = trials_differ_from_seeds(group);
  Sheet sheet{row_caption(group, view), view.by.size(), {printable_keys(view.by)}, {}};
  std::vector<std::string>& heading = sheet.lines[0];
  heading.insert(heading.end(), {view.metric, "95 % interval", "seeds"});
  if (trials) heading.emplace_back("trials");
  heading.insert(heading.end(), {"trainable", "peak MiB", "train s", "front"});
  for (const ComparedRow& row : group.rows) {
    sheet.lines.push_back(row_line(row, view.metric, trials));
  }
  sheet.notes = row_notes(group, view);
  return sheet;
}

bool may_claim(const Difference& difference) {
  return difference.spread.n >= fewest_pairs && difference.smallest <= level;
}

std::string verdict(const ComparedGroup& group, const Difference& difference) {
  if (!may_claim(difference) || group.smallest_holm > level) return "none possible";
  return difference.holm < level ? "differs" : "not shown";
}

std::vector<std::string> difference_line(const ComparedGroup& group, const Difference& difference,
                                         const std::string& metric, bool settings) {
  std::vector<std::string> line = group.rows[difference.row].values;
  line.push_back(std::to_string(difference.pairs));
  if (settings) line.push_back(std::to_string(difference.spread.n));
  line.push_back(measure(metric, difference.spread.mean, true));
  line.push_back(interval(metric, difference.spread, true));
  line.push_back((difference.test.exact ? "" : "~") + formatted("%.4g", difference.test.p));
  line.push_back(formatted("%.4g", difference.holm));
  line.push_back(formatted("%.4g", difference.smallest));
  line.push_back(measure(metric, difference.detectable, false));
  line.push_back(verdict(group, difference));
  return line;
}

void add_pair_notes(const ComparedGroup& group, const std::string& unit,
                    std::vector<std::string>& notes) {
  std::map<std::int64_t, double> too_few;
  for (const Difference& difference : group.differences) {
    const std::string& label = group.rows[difference.row].label;
    if (difference.spread.n == 0) {
      notes.push_back(label + " makes no pair with " + group.rows[group.reference].label +

                      (difference.apart.empty() ? ": no seed, builds and data are the same in both"
                                                : ": they differ in " + difference.apart));
    } else if (!may_claim(difference)) {
      too_few[difference.spread.n] = difference.smallest;
    }
    if (difference.unpaired.empty()) continue;
    notes.push_back(label + ": " + counted(difference.unpaired.size(), "trial", "trials") +
                    " without a partner: " + first_names(difference.unpaired));
  }
  for (const auto& [n, p] : too_few) {
    notes.push_back(counted(static_cast<std::size_t>(n), unit, unit + "s") +
                    " can show no p below " + formatted("%.4g", p) +
                    ", so no significance is claimed");
  }
  if (group.smallest_holm > level && too_few.empty()) {
    notes.push_back("with so many comparisons Holm's p cannot fall below " +
                    formatted("%.4g", group.smallest_holm) +
                    ", so no significance is claimed: more seeds, or fewer rows");
  }
}

std::size_t comparisons_of(const ComparedGroup& group) {
  return static_cast<std::size_t>(std::count_if(group.differences.begin(), group.differences.end(),
                                                [](const Difference& d) { return d.pairs > 0; }));
}

std::vector<std::string> difference_notes(const ComparedGroup& group, const ComparisonView& view) {
  std::vector<std::string> notes{
      "p: exact sign-flip test, two-sided; Holm: corrected over " +
          counted(comparisons_of(group), "comparison", "comparisons") +
          ", claimed below 0.05; smallest p: what so many differences can show",
      "visible: the difference that so many with this spread show in 4 of 5 repetitions"};
  if (view.against.empty()) {
    notes.emplace_back(
        "the best row is the best by these same numbers, which flatters it: --against names one");
  }
  const bool settings = pairs_differ_from_seeds(group);
  if (settings) {
    notes.push_back("pairs of one seed, over " + group.over +
                    ", are averaged first, since they are not independent: seeds count");
  }
  const auto drawn = [](const Difference& difference) { return !difference.test.exact; };
  if (std::any_of(group.differences.begin(), group.differences.end(), drawn)) {
    notes.push_back("~ of " + std::to_string(sign_flip_draws) + " draws of signs, not of all");
  }
  add_pair_notes(group, settings ? "seed" : "pair", notes);
  return notes;
}

Sheet difference_sheet(const ComparedGroup& group, const ComparisonView& view) {
  std::string caption = "differences to " + group.rows[group.reference].label +
                        (view.against.empty() ? ", the best row" : "") +
                        (is_share(view.metric) ? ", in points" : "") +
                        ": mean over pairs and 95 % interval (paired Student)";
  if (!group.name.empty()) caption += "; " + group.name;
  Sheet sheet{std::move(caption), view.by.size(), {printable_keys(view.by)}, {}};
  std::vector<std::string>& heading = sheet.lines[0];
  const bool settings = pairs_differ_from_seeds(group);
  heading.emplace_back("pairs");
  if (settings) heading.emplace_back("seeds");
  heading.insert(heading.end(),
                 {"difference", "95 % interval", "p", "Holm", "smallest p", "visible", "claim"});
  for (const Difference& difference : group.differences) {
    sheet.lines.push_back(difference_line(group, difference, view.metric, settings));
  }
  sheet.notes = difference_notes(group, view);
  return sheet;
}

std::string no_differences(const ComparedGroup& group) {
  if (group.rows.size() < 2) return "one value alone has nothing to be compared with here";
  if (group.reference == group.rows.size()) return "the row to compare against is not among these";
  return "no differences: the axis changes the test images, and rows share none";
}

}  // namespace

std::string formatted(const char* format, double value) {
  if (std::isnan(value)) return "-";
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::vector<std::string> printable_keys(const std::vector<std::string>& keys) {
  std::vector<std::string> list;
  for (const std::string& key : keys) list.push_back(printable(key));
  return list;
}

std::vector<Sheet> comparison_sheets(const AxisComparison& comparison) {
  std::vector<Sheet> sheets;
  for (const ComparedGroup& group : comparison.groups) {
    sheets.push_back(row_sheet(group, comparison.view));
    if (group.differences.empty()) sheets.back().notes.push_back(no_differences(group));
    sheets.push_back(cost_sheet(group, comparison.view));
    if (!group.differences.empty()) sheets.push_back(difference_sheet(group, comparison.view));
  }
  return sheets;
}

std::vector<std::string> left_out_notes(const AxisComparison& comparison) {
  std::vector<std::string> notes;
  for (const auto& [why, names] : comparison.left_out) {
    notes.push_back("left out: " + counted(names.size(), "trial", "trials") + " " + why + ": " +
                    first_names(names));
  }
  return notes;
}

}  // namespace espalier
