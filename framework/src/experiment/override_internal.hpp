// Changes to an experiment from the command line, in Hydra's grammar.
#pragma once

#include "experiment/source.hpp"
#include <espalier/core/error.hpp>
#include <string>
#include <vector>

namespace espalier {

// Applies `key=value`, `key=a,b` (an axis), `+key=value` (must be new), `++key=value` (new or not),
// `~key` and `~key=value` (must be there) in order. Adds what is wrong to `problems`.
void apply_overrides(const std::vector<std::string>& overrides, ExperimentSource& source,
                     Problems& problems);

}  // namespace espalier
