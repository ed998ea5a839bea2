// One look at one sample.
#pragma once

#include <cstddef>
#include <cstdint>

namespace espalier {

// A position in Dataset::samples(), or a class where classes are looked at, and which of the fixed
// views of it: 0 is the plain one.
struct Look {
  std::size_t sample = 0;
  std::int64_t view = 0;

  bool operator==(const Look&) const = default;
};

}  // namespace espalier
