#include "encoders/classical/colour_pyramid.hpp"

#include <algorithm>
#include <cmath>
#include <espalier/core/error.hpp>

namespace espalier {
namespace {

// Shared equally by the parts of the level.
double level_weight(std::int64_t level, std::int64_t levels) {
  return std::ldexp(1.0, -static_cast<int>(level == 0 ? levels - 1 : levels - level));
}

std::vector<std::uint8_t> bins_of(const Image& image) {
  std::vector<std::uint8_t> bins;
  bins.reserve(image.rgb.size() / 3);
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
    bins.push_back(
        static_cast<std::uint8_t>(colour_bin(image.rgb[i], image.rgb[i + 1], image.rgb[i + 2])));
  }
  return bins;
}

// Appends the weighted roots of one part's histogram.
void add_part(const std::vector<std::uint8_t>& bins, const Image& image, std::int64_t row,
              std::int64_t column, std::int64_t parts, double weight, std::vector<float>& result) {
  std::int64_t counts[colour_bins] = {};
  const std::int64_t left = column * image.width / parts;
  const std::int64_t right = (column + 1) * image.width / parts;
  const std::int64_t top = row * image.height / parts;
  const std::int64_t bottom = (row + 1) * image.height / parts;
  for (std::int64_t y = top; y < bottom; ++y) {
    for (std::int64_t x = left; x < right; ++x) {
      ++counts[bins[static_cast<std::size_t>(y * image.width + x)]];
    }
  }
  const double share = weight / static_cast<double>((right - left) * (bottom - top));
  for (const std::int64_t count : counts) {
    result.push_back(static_cast<float>(std::sqrt(static_cast<double>(count) * share)));
  }
}

}  // namespace

std::int64_t colour_bin(std::uint8_t red, std::uint8_t green, std::uint8_t blue) {
  const int high = std::max({red, green, blue});
  const int span = high - std::min({red, green, blue});
  const int value = std::min(high * 3 / 255, 2);
  const int saturation = high == 0 ? 0 : std::min(span * 3 / high, 2);
  if (span == 0) return saturation * 3 + value;
  // Twelfths of the circle times `span`, from 0 to 12 * span.
  int turn = high == red     ? 2 * (green - blue)
             : high == green ? 4 * span + 2 * (blue - red)
                             : 8 * span + 2 * (red - green);
  if (turn < 0) turn += 12 * span;
  const int hue = (2 * turn + span) / (2 * span) % 12;
  return (hue * 3 + saturation) * 3 + value;
}

std::int64_t colour_pyramid_width(std::int64_t levels) {
  return colour_bins * ((std::int64_t{1} << 2 * levels) - 1) / 3;
}

std::vector<float> colour_pyramid(const Image& image, std::int64_t levels) {
  ESPALIER_ASSERT(std::min(image.width, image.height) >> (levels - 1) > 0, "parts without pixels");
  const std::vector<std::uint8_t> bins = bins_of(image);
  std::vector<float> result;
  result.reserve(static_cast<std::size_t>(colour_pyramid_width(levels)));
  for (std::int64_t level = 0; level < levels; ++level) {
    const std::int64_t parts = std::int64_t{1} << level;
    const double weight = level_weight(level, levels) / static_cast<double>(parts * parts);
    for (std::int64_t row = 0; row < parts; ++row) {
      for (std::int64_t column = 0; column < parts; ++column) {
        add_part(bins, image, row, column, parts, weight, result);
      }
    }
  }
  return result;
}

}  // namespace espalier
