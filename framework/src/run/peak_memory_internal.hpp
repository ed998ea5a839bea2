// The largest resident memory of this process, as /proc tells it.
#pragma once

#include <cstdint>

namespace espalier {

// From now on; without effect where the kernel does not allow it.
void reset_peak_memory();
// Bytes.
[[nodiscard]] std::int64_t peak_memory();

}  // namespace espalier
