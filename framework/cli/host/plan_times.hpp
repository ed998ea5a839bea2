// What a plan will take, as `espalier plan` prints it.
#pragma once

#include "experiment/plan.hpp"
#include "run/trial_times.hpp"
#include <cstddef>
#include <vector>

namespace espalier::cli {

// A line for the trials that differ in nothing but seeds and what is not trained, and the sum;
// `done` says of each trial whether it has a result. Nothing where no time is known.
void print_times(const Plan& plan, const std::vector<bool>& done, const TrialTimes& times,
                 std::size_t workers);

}  // namespace espalier::cli
