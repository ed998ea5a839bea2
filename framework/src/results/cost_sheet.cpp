#include <algorithm>
#include <cmath>
#include <espalier/core/words.hpp>
#include <iterator>

#include "comparison_sheet_internal.hpp"

namespace espalier {
namespace {

// A column of what rows cost: a field, in what it is shown, and how.
struct CostColumn {
  const char* field;
  const char* heading;
  double unit;
  const char* format;
};

constexpr CostColumn cost_columns[] = {
    {"method_parameters", "method", 1, "%.0f"},
    {"budget_deviation", "of budget %", 1e-2, "%+.2f"},
    {"total_parameters", "total", 1, "%.0f"},
    {"adapter_bytes", "adapter kB", 1e3, "%.3g"},
    {"optimizer_bytes", "optimizer kB", 1e3, "%.4g"},
    {"peak_cuda_bytes", "CUDA MiB", 1 << 20, "%.0f"},
    {"prefix_seconds", "prefix s", 1, "%.3g"},
    {"forward_seconds", "forward s", 1, "%.3g"},
    {"backward_seconds", "backward s", 1, "%.3g"},
    {"prefix_flops", "prefix GFLOP", 1e9, "%.4g"},
    {"forward_flops", "forward GFLOP", 1e9, "%.4g"},
    {"backward_flops", "backward GFLOP", 1e9, "%.4g"},
    {"inference_seconds", "ms a picture", 1e-3, "%.3g"},
    {"merged_inference_seconds", "merged ms", 1e-3, "%.3g"},
    {"new_top1", "new %", 1e-2, "%.2f"},
    {"harmonic_mean", "harmonic %", 1e-2, "%.2f"},
    {"forgetting", "forgetting", 1e-2, "%+.2f"},
};

std::string cost_caption(const ComparedGroup& group, const ComparisonView& view) {
  std::string text =
      "what they cost, by " + joined(printable_keys(view.by)) + ": means over trials";
  if (!group.name.empty()) text += "; " + group.name;
  return text;
}

std::vector<std::string> cost_notes(const std::vector<std::string>& heading) {
  const auto shown = [&](std::string_view name) {
    return std::find(heading.begin(), heading.end(), name) != heading.end();
  };
  std::vector<std::string> notes{
      "prefix: what is below the trained layers, of all pictures once, cached or not; forward and "
      "backward: of all updates; GFLOP: of matrix products"};
  if (shown("merged ms")) {
    notes.emplace_back("ms: of the image tower for one picture, and once the method is merged");
  }
  if (shown("forgetting")) {
    notes.emplace_back(
        "new: top-1 of the classes that were not learnt, among these; forgetting: points of it "
        "that the loaded encoder's zero-shot top-1 has more");
  }
  return notes;
}

}  // namespace

Sheet cost_sheet(const ComparedGroup& group, const ComparisonView& view) {
  Sheet sheet{cost_caption(group, view), view.by.size(), {printable_keys(view.by)}, {}};
  for (const ComparedRow& row : group.rows) sheet.lines.push_back(row.values);
  for (const CostColumn& column : cost_columns) {
    const auto has = [&](const ComparedRow& row) {
      return !std::isnan(cost_of(row, column.field));
    };
    if (std::none_of(group.rows.begin(), group.rows.end(), has)) continue;
    sheet.lines[0].emplace_back(column.heading);
    for (std::size_t i = 0; i < group.rows.size(); ++i) {
      sheet.lines[i + 1].push_back(
          formatted(column.format, cost_of(group.rows[i], column.field) / column.unit));
    }
  }
  sheet.notes = cost_notes(sheet.lines[0]);
  return sheet;
}

}  // namespace espalier
