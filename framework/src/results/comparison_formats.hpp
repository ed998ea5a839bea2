// A comparison as text: for a terminal, a page, an article, or a program.
#pragma once

#include "results/comparison.hpp"
#include <string>

namespace espalier {

// Two aligned tables a group, of rows and of differences, and below them what their signs mean,
// what they do not show and why.
[[nodiscard]] std::string comparison_text(const AxisComparison& comparison);
// The same as GitHub's tables.
[[nodiscard]] std::string comparison_markdown(const AxisComparison& comparison);
// The same as `table` environments with booktabs' rules, for \\input.
[[nodiscard]] std::string comparison_latex(const AxisComparison& comparison);
// One line a row, with its difference to the reference; all digits, one header line.
[[nodiscard]] std::string comparison_csv(const AxisComparison& comparison);

}  // namespace espalier
