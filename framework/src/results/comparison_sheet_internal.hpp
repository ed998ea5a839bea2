// What the sheets of a comparison share.
#pragma once

#include "results/comparison_sheet.hpp"
#include <string>
#include <vector>

namespace espalier {

// As printf() has it; `-` for a number that is missing.
[[nodiscard]] std::string formatted(const char* format, double value);
[[nodiscard]] std::vector<std::string> printable_keys(const std::vector<std::string>& keys);

// What the rows of a group cost, without the columns that none of them has.
[[nodiscard]] Sheet cost_sheet(const ComparedGroup& group, const ComparisonView& view);

}  // namespace espalier
