// A sweep as text for people.
#pragma once

#include "results/sweep_table.hpp"
#include <cstddef>
#include <string>

namespace espalier {

// The best combinations by mean validation accuracy over seeds, at most `rows`, with the test
// accuracy that each reached, in percent, mean and standard deviation.
[[nodiscard]] std::string best_combinations(const SweepTable& sweep, std::size_t rows = 10);

// What failed and why, one paragraph a trial; empty where nothing did.
[[nodiscard]] std::string failed_trials(const SweepTable& sweep);

// `graph.tau=0.5 seed=1`; the beginning of the trial_id where nothing is swept.
[[nodiscard]] std::string trial_label(const PlanTable& plan, std::size_t row);

}  // namespace espalier
