// The cells and sentences of a comparison, which every format sets in its own way.
#pragma once

#include "results/comparison.hpp"
#include "results/value_text.hpp"
#include <string>
#include <vector>

namespace espalier {

// A table of which the first `texts` columns are words, the others numbers.
struct Sheet {
  std::string caption;
  std::size_t texts = 0;
  Lines lines;  // the heading first
  std::vector<std::string> notes;
};

// Of a group its rows, what they cost, then its differences where there are some.
[[nodiscard]] std::vector<Sheet> comparison_sheets(const AxisComparison& comparison);
// What concerns no group in particular: trials that have no part.
[[nodiscard]] std::vector<std::string> left_out_notes(const AxisComparison& comparison);

}  // namespace espalier
