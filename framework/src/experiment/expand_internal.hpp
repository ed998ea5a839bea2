// From the blocks of a sweep to rows of axis values.
#pragma once

#include "experiment/plan.hpp"
#include "experiment/source.hpp"
#include <cstdint>
#include <espalier/core/error.hpp>
#include <espalier/plugin/catalog.hpp>
#include <string>
#include <vector>

namespace espalier {

struct Expansion {
  std::vector<Axis> axes;               // of all blocks, in order of appearance
  std::vector<std::string> axis_where;  // of each axis
  struct Row {
    std::uint32_t block = 0;
    std::vector<std::uint32_t> values;  // for every axis an index, or PlannedTrial::npos
  };
  std::vector<Row> rows;
};

inline constexpr std::uint64_t most_trials = 2'000'000;

// Globs become component names, blocks are multiplied out in order, the last axis fastest, and
// sampled. Adds what is wrong to `problems`.
[[nodiscard]] Expansion expand(const ExperimentSource& source, const Catalog& catalog,
                               Problems& problems);

}  // namespace espalier
