// The pairs that the trials of two rows make, and what they say.
#pragma once

#include "results/compared_trials.hpp"
#include "results/comparison.hpp"
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

using Trials = std::vector<const ComparedTrial*>;

// Values by ComparedTrial::draw. What one seed says is not independent of each other: its mean
// counts.
using ByDraw = std::map<std::string, std::vector<double>>;
[[nodiscard]] std::vector<double> means_of(const ByDraw& by_draw);

// The trials of a row by ComparedTrial::shared. Throws Error when several have the same, since none
// of them is the pair of another row's then.
using Partners = std::map<std::string_view, const ComparedTrial*>;
[[nodiscard]] Partners partners_of(const Trials& trials, const std::string& label);

// The row that `trials` are of, less the reference.
[[nodiscard]] Difference difference_of(std::size_t row, const Partners& trials,
                                       const Partners& reference, const ComparisonView& view);

// Holm's correction over the differences of a group.
void correct_by_holm(ComparedGroup& group);

}  // namespace espalier
