// A decoded picture.
#pragma once

#include <cstdint>
#include <vector>

namespace espalier {

// 8-bit sRGB, rows from the top, interleaved: pixel (x, y) starts at rgb[3 * (y * width + x)].
struct Image {
  std::int64_t width = 0;
  std::int64_t height = 0;
  std::vector<std::uint8_t> rgb;

  bool operator==(const Image&) const = default;
};

}  // namespace espalier
