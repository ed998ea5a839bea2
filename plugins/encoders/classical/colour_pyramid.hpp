// Colour histograms over a spatial pyramid (Swain and Ballard 1991; Lazebnik, Schmid and Ponce,
// CVPR 2006).
//
// Level l cuts the picture into 2^l x 2^l parts. Each part has a histogram of its pixels' hue,
// saturation and value in 12 x 3 x 3 equal bins, which sums to 1; its square roots are taken, so
// that the inner product of two is the Bhattacharyya coefficient of the histograms (Arandjelovic
// and Zisserman, CVPR 2012). The parts of a level share the level's weight of the pyramid match
// kernel: 1 / 2^(L-1) for level 0, else 1 / 2^(L-l). Hence the whole vector has length 1.
#pragma once

#include <cstdint>
#include <espalier/image/image.hpp>
#include <vector>

namespace espalier {

inline constexpr std::int64_t colour_bins = 12 * 3 * 3;

// The bin of one colour, (hue * 3 + saturation) * 3 + value; hue 0 is within 15 degrees of red.
[[nodiscard]] std::int64_t colour_bin(std::uint8_t red, std::uint8_t green, std::uint8_t blue);

[[nodiscard]] std::int64_t colour_pyramid_width(std::int64_t levels);

// By level, row, column and bin. The picture has at least 2^(levels-1) pixels a side; levels >= 1.
[[nodiscard]] std::vector<float> colour_pyramid(const Image& image, std::int64_t levels);

}  // namespace espalier
