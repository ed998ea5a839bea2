#include "results/comparison_formats.hpp"
#include "results/comparison_sheet.hpp"
#include "results/table.hpp"
#include <algorithm>
#include <map>
#include <utility>

namespace espalier {
namespace {

std::string replaced(const std::string& text, const std::map<char, std::string>& by) {
  std::string result;
  for (const char c : text) {
    const auto it = by.find(c);
    result += it == by.end() ? std::string(1, c) : it->second;
  }
  return result;
}

std::string markdown_cell(const std::string& text) {
  return replaced(text, {{'|', "\\|"},
                         {'*', "\\*"},
                         {'_', "\\_"},
                         {'<', "&lt;"},
                         {'~', "\\~"},
                         {'`', "\\`"},
                         {'[', "\\["},
                         {']', "\\]"}});
}

std::string markdown_line(const std::vector<std::string>& cells) {
  std::string line = "|";
  for (const std::string& cell : cells) line += " " + markdown_cell(cell) + " |";
  return line + "\n";
}

std::string markdown_sheet(const Sheet& sheet) {
  std::string text = "**" + markdown_cell(sheet.caption) + "**\n\n" + markdown_line(sheet.lines[0]);
  for (std::size_t i = 0; i < sheet.lines[0].size(); ++i) text += i < sheet.texts ? "|---" : "|--:";
  text += "|\n";
  for (std::size_t i = 1; i < sheet.lines.size(); ++i) text += markdown_line(sheet.lines[i]);
  text += "\n";
  for (const std::string& note : sheet.notes) text += "- " + markdown_cell(note) + "\n";
  return text;
}

std::string latex_cell(const std::string& text) {
  std::string escaped = replaced(text, {{'_', "\\_"},
                                        {'&', "\\&"},
                                        {'%', "\\%"},
                                        {'#', "\\#"},
                                        {'$', "\\$"},
                                        {'{', "\\{"},
                                        {'}', "\\}"},
                                        {'~', "\\textasciitilde{}"},
                                        {'^', "\\textasciicircum{}"},
                                        {'\\', "\\textbackslash{}"},
                                        {'[', "{[}"},
                                        {']', "{]}"}});
  const std::string bullet = "•";
  for (std::size_t at = 0; (at = escaped.find(bullet, at)) != std::string::npos;) {
    escaped.replace(at, bullet.size(), "\\textbullet{}");
  }
  return escaped;
}

std::string latex_line(const std::vector<std::string>& cells) {
  std::string line;
  for (const std::string& cell : cells) line += (line.empty() ? "" : " & ") + latex_cell(cell);
  return line + " \\\\\n";
}

std::string latex_sheet(const Sheet& sheet) {
  const std::size_t columns = sheet.lines[0].size();
  std::string text = "\\begin{table}\n\\centering\n\\caption{" + latex_cell(sheet.caption) +
                     "}\n\\begin{tabular}{" + std::string(sheet.texts, 'l') +
                     std::string(columns - sheet.texts, 'r') + "}\n\\toprule\n" +
                     latex_line(sheet.lines[0]) + "\\midrule\n";
  for (std::size_t i = 1; i < sheet.lines.size(); ++i) text += latex_line(sheet.lines[i]);
  text +=
      "\\bottomrule\n\\end{tabular}\n\n\\smallskip\n\\begin{minipage}{\\linewidth}\n"
      "\\footnotesize\n";
  for (const std::string& note : sheet.notes) text += latex_cell(note) + "\\par\n";
  return text + "\\end{minipage}\n\\end{table}\n";
}

// Each sheet by `sheet_text`, then the notes of all, each by `note_text`.
template <class SheetText, class NoteText>
std::string set_in(const AxisComparison& comparison, SheetText sheet_text, NoteText note_text) {
  std::string text;
  for (const Sheet& sheet : comparison_sheets(comparison)) {
    text += (text.empty() ? "" : "\n") + sheet_text(sheet);
  }
  const std::vector<std::string> notes = left_out_notes(comparison);
  if (!notes.empty()) text += "\n";
  for (const std::string& note : notes) text += note_text(note);
  return text;
}

std::string text_sheet(const Sheet& sheet) {
  std::string text = sheet.caption + "\n\n" + aligned(sheet.lines) + "\n";
  for (const std::string& note : sheet.notes) text += note + "\n";
  return text;
}

Flag flag_of(bool set) { return set ? Flag::yes : Flag::no; }

// The columns of a comparison while they are filled.
struct CsvColumns {
  std::vector<std::string> group;
  std::vector<std::vector<std::string>> values;
  std::map<std::string, std::vector<double>> numbers;
  std::vector<Flag> front, untrained, sees_test, mixed, reference, exact;

  void add(const ComparedGroup& of, std::size_t index);
  [[nodiscard]] Table table(const std::vector<std::string>& axes) &&;

 private:
  void add(const ComparedRow& row);
  void add(const Difference& difference);
  void add_numbers(Table& table, std::initializer_list<const char*> names) {
    for (const char* name : names) table.add(name, std::move(numbers[name]));
  }
};

Table CsvColumns::table(const std::vector<std::string>& axes) && {
  Table table;
  table.add("group", std::move(group));
  for (std::size_t i = 0; i < axes.size(); ++i) table.add(axes[i], std::move(values[i]));
  add_numbers(table, {"mean", "std", "ci_lo", "ci_hi", "seeds", "trials"});
  for (const std::string_view field : cost_fields) {
    const std::string name(field);
    table.add(name, std::move(numbers[name]));
  }
  table.add("pareto_front", std::move(front));
  table.add("untrained", std::move(untrained));
  table.add("sees_test", std::move(sees_test));
  table.add("mixed_builds", std::move(mixed));
  table.add("reference", std::move(reference));
  add_numbers(table, {"pairs", "paired_seeds", "difference", "difference_ci_lo", "difference_ci_hi",
                      "p", "p_holm", "smallest_p", "visible", "unpaired"});
  table.add("exact", std::move(exact));
  return table;
}

void CsvColumns::add(const Difference& difference) {
  numbers["pairs"].push_back(static_cast<double>(difference.pairs));
  numbers["paired_seeds"].push_back(static_cast<double>(difference.spread.n));
  numbers["difference"].push_back(difference.spread.mean);
  const bool few = difference.spread.n < fewest_for_interval;
  numbers["difference_ci_lo"].push_back(few ? missing : difference.spread.ci_lo);
  numbers["difference_ci_hi"].push_back(few ? missing : difference.spread.ci_hi);
  numbers["p"].push_back(difference.test.p);
  numbers["p_holm"].push_back(difference.holm);
  numbers["smallest_p"].push_back(difference.smallest);
  numbers["visible"].push_back(difference.detectable);
  numbers["unpaired"].push_back(static_cast<double>(difference.unpaired.size()));
}

void CsvColumns::add(const ComparedRow& row) {
  for (std::size_t i = 0; i < row.values.size(); ++i) values[i].push_back(row.values[i]);
  const bool few = row.metric.n < fewest_for_interval;
  const std::pair<const char*, double> of_row[] = {{"mean", row.metric.mean},
                                                   {"std", row.metric.std},
                                                   {"ci_lo", few ? missing : row.metric.ci_lo},
                                                   {"ci_hi", few ? missing : row.metric.ci_hi},
                                                   {"seeds", static_cast<double>(row.metric.n)},
                                                   {"trials", static_cast<double>(row.trials)}};
  for (const auto& [name, value] : of_row) numbers[name].push_back(value);
  for (const std::string_view field : cost_fields) {
    numbers[std::string(field)].push_back(cost_of(row, field));
  }
  front.push_back(flag_of(row.front));
  untrained.push_back(flag_of(row.untrained));
  sees_test.push_back(flag_of(row.sees_test));
  mixed.push_back(flag_of(row.mixed));
}

void CsvColumns::add(const ComparedGroup& of, std::size_t index) {
  group.push_back(of.name);
  add(of.rows[index]);
  reference.push_back(flag_of(index == of.reference));
  const auto it = std::find_if(of.differences.begin(), of.differences.end(),
                               [&](const Difference& d) { return d.row == index; });
  const bool there = it != of.differences.end();
  exact.push_back(there && it->pairs > 0 ? flag_of(it->test.exact) : Flag::absent);
  add(there ? *it : Difference{});
}

}  // namespace

std::string comparison_text(const AxisComparison& comparison) {
  return set_in(comparison, text_sheet, [](const std::string& note) { return note + "\n"; });
}

std::string comparison_markdown(const AxisComparison& comparison) {
  return set_in(comparison, markdown_sheet,
                [](const std::string& note) { return "- " + markdown_cell(note) + "\n"; });
}

std::string comparison_latex(const AxisComparison& comparison) {
  return set_in(comparison, latex_sheet,
                [](const std::string& note) { return "% " + note + "\n"; });
}

std::string comparison_csv(const AxisComparison& comparison) {
  CsvColumns columns;
  columns.values.resize(comparison.view.by.size());
  for (const ComparedGroup& group : comparison.groups) {
    for (std::size_t row = 0; row < group.rows.size(); ++row) columns.add(group, row);
  }
  return to_csv(std::move(columns).table(comparison.view.by));
}

}  // namespace espalier
