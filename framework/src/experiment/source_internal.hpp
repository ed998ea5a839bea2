// From the tree of a YAML file to an experiment.
#pragma once

#include "experiment/source.hpp"
#include <espalier/core/error.hpp>

#include "yaml_internal.hpp"

namespace espalier {

// Fills in all but `limits`, which stay as written. Adds what is wrong to `problems`.
void read_experiment(const YamlNode& root, ExperimentSource& source, Problems& problems);

// As check_key(); where the section is misspelt, the one that was meant counts as unread.
bool check_source_key(const std::string& key, const std::string& where, ExperimentSource& source,
                      Problems& problems);

}  // namespace espalier
