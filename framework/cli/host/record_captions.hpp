// Captions that trials read and only a server can write, before a sweep begins.
#pragma once

#include "experiment/plan.hpp"
#include <string>
#include <vector>

namespace espalier::cli {

// Throws Error where a set does not become complete; what was answered is kept for the next time.
// Ends the program where it was stopped by a signal.
void record_captions(const std::vector<PlannedCaptions>& sets,
                     const std::vector<std::string>& plugins);

}  // namespace espalier::cli
