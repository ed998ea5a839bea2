// How far the hashing of data is, on a terminal.
#pragma once

#include <espalier/core/content.hpp>

namespace espalier::cli {

// Writes one line on standard error that renews itself, and wipes it at the end; silent in a pipe.
[[nodiscard]] ContentHasher::Progress data_progress();

}  // namespace espalier::cli
