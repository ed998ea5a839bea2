// What the sweeps that run now will read from the cache.
#pragma once

#include <filesystem>
#include <set>
#include <string>

namespace espalier {

// `stage/key` of every trial planned by an experiment below `results` that a process is running.
// Throws Error where the plan of one cannot be read.
[[nodiscard]] std::set<std::string> stages_in_use(const std::filesystem::path& results);

}  // namespace espalier
