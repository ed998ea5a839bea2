// One look at one sample.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace espalier {

// A position in Dataset::samples(), or a class where classes are looked at, and which of the fixed
// views of it: 0 is the plain one.
struct Look {
  std::size_t sample = 0;
  std::int64_t view = 0;

  bool operator==(const Look&) const = default;
};

// By which dropout draws the masks of a look, as DropoutStream has it.
[[nodiscard]] constexpr std::uint64_t look_id(const Look& look) {
  return static_cast<std::uint64_t>(look.sample) + (static_cast<std::uint64_t>(look.view) << 40);
}

// The plain view of each sample.
[[nodiscard]] inline std::vector<Look> plain_looks(std::span<const std::size_t> samples) {
  std::vector<Look> looks;
  looks.reserve(samples.size());
  for (const std::size_t sample : samples) looks.push_back({.sample = sample});
  return looks;
}

}  // namespace espalier
