// Histograms of oriented gradients (Dalal and Triggs, CVPR 2005), equal to scikit-image's hog()
// with channel_axis=-1, block_norm="L2-Hys" and its other defaults.
//
// Central differences in the channel with the largest gradient; each pixel votes with its magnitude
// for one of `orientations` directions over 180 degrees in its square cell; every block of cells is
// normalised to length 1, cut at 0.2 and normalised again.
#pragma once

#include <cstdint>
#include <espalier/image/image.hpp>
#include <vector>

namespace espalier {

struct HogOptions {
  std::int64_t orientations = 9;
  std::int64_t cell = 8;   // side in pixels
  std::int64_t block = 2;  // side in cells
};

// Number of values for a picture of this size; 0 where it is smaller than a block.
[[nodiscard]] std::int64_t hog_width(std::int64_t width, std::int64_t height,
                                     const HogOptions& options);

// By row and column of the block, then of the cell in the block, then by orientation. Empty where
// hog_width() is 0.
[[nodiscard]] std::vector<float> hog(const Image& image, const HogOptions& options);

}  // namespace espalier
