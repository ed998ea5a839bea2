// Methods inside encoders, as `espalier plan` prints them.
#pragma once

#include "experiment/plan.hpp"
#include <cstdint>

namespace espalier::cli {

// What budget.trainable comes to.
void print_sizes(const Plan& plan);
// What enters the trained layers, and whether that is kept: `limit` is that of a stage, in bytes.
void print_cuts(const Plan& plan, std::int64_t limit);

}  // namespace espalier::cli
