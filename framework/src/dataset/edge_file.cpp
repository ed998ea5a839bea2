#include <espalier/dataset/edge_file.hpp>

#include <charconv>
#include <cmath>
#include <espalier/core/error.hpp>
#include <espalier/dataset/csv.hpp>
#include <optional>

namespace espalier {
namespace {

constexpr std::size_t most_bad_rows = 10;

bool is_heading(const CsvRow& row) {
  return row.fields.size() >= 2 && row.fields[0] == "source" && row.fields[1] == "target";
}

std::optional<double> weight_of(const std::string& text) {
  double weight = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  if (!std::isfinite(static_cast<float>(weight)) || weight < 0) return std::nullopt;
  return weight;
}

std::string row_text(const CsvRow& row) {
  std::string text;
  for (const std::string& field : row.fields) text += (text.empty() ? "" : " | ") + field;
  return text;
}

}  // namespace

std::vector<NamedEdge> parse_edge_list(std::string_view text, std::string_view origin,
                                       char delimiter) {
  std::vector<NamedEdge> edges;
  Problems problems;
  const std::vector<CsvRow> rows = parse_csv(text, origin, delimiter);
  for (std::size_t r = 0; r < rows.size() && problems.size() < most_bad_rows; ++r) {
    const CsvRow& row = rows[r];
    if (r == 0 && is_heading(row)) continue;
    const bool shaped = (row.fields.size() == 2 || row.fields.size() == 3) &&
                        !row.fields[0].empty() && !row.fields[1].empty();
    const std::optional<double> weight = !shaped                  ? std::nullopt
                                         : row.fields.size() == 3 ? weight_of(row.fields[2])
                                                                  : std::optional<double>(1);
    if (weight) {
      edges.push_back({row.fields[0], row.fields[1], *weight, row.line});
      continue;
    }
    problems.add({.what = "a row is no edge",
                  .where = std::string(origin) + ":" + std::to_string(row.line),
                  .expected = "source, target, and a weight of at least 0 or none",
                  .found = row_text(row),
                  .fix = row.fields.size() > 1 ? "" : "commas part them, and tabs in a .tsv"});
  }
  problems.throw_if_any();
  return edges;
}

}  // namespace espalier
