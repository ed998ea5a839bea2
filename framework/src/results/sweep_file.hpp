// sweep.h5 and trials.csv: all trials of an experiment in one file. Both are derived and can be
// made again at any time; docs/results.md describes them.
#pragma once

#include "results/sweep_table.hpp"

namespace espalier {

// Writes both beside the plan, each under a temporary name first.
void write_sweep(const SweepTable& sweep);

}  // namespace espalier
