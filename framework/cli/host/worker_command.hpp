// How `espalier run` and `espalier plan --time` start workers.
#pragma once

#include "run/worker_process.hpp"
#include <cstddef>
#include <string>
#include <vector>

namespace espalier::cli {

// What --workers says: a number, or `auto` for as many as there are cores for. Throws Error where
// it is neither.
[[nodiscard]] std::size_t worker_count(const std::string& text, int threads);

// Cores are divided among the workers, for loading pictures too. Results say in which state the
// user's own repository was, where the current folder is in one.
[[nodiscard]] WorkerCommand worker_command(const std::vector<std::string>& plugins,
                                           std::size_t workers, int threads,
                                           const std::string& device);

}  // namespace espalier::cli
