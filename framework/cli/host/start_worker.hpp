// Verbs whose work needs tensors: espalier checks the arguments, espalier-worker does the rest.
#pragma once

#include <string>
#include <vector>

namespace espalier::cli {

// Becomes `espalier-worker ARGUMENTS` and so never returns. Throws Error when it cannot be started.
[[noreturn]] void become_worker(const std::vector<std::string>& arguments);

}  // namespace espalier::cli
