#include "encoders/classical/hog.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

namespace espalier {
namespace {

struct Gradient {
  int x = 0;
  int y = 0;
  int square = 0;
};

// Of the channel in which it is largest; zero across the picture's border.
Gradient gradient(const Image& image, std::int64_t x, std::int64_t y) {
  const bool inside_x = x > 0 && x + 1 < image.width;
  const bool inside_y = y > 0 && y + 1 < image.height;
  const std::uint8_t* at = image.rgb.data() + 3 * (y * image.width + x);
  const std::int64_t row = 3 * image.width;
  Gradient largest;
  for (std::int64_t c = 0; c < 3; ++c) {
    const int dx = inside_x ? at[c + 3] - at[c - 3] : 0;
    const int dy = inside_y ? at[c + row] - at[c - row] : 0;
    const int square = dx * dx + dy * dy;
    if (square > largest.square) largest = {dx, dy, square};
  }
  return largest;
}

// Which of `count` equal parts of the half circle the direction falls in.
std::size_t direction(const Gradient& g, std::int64_t count) {
  const double degrees = std::atan2(g.y, g.x) * (180 / std::numbers::pi);
  const double half = degrees < 0 ? degrees + 180 : degrees >= 180 ? degrees - 180 : degrees;
  const auto part = static_cast<std::int64_t>(half / (180.0 / static_cast<double>(count)));
  return static_cast<std::size_t>(std::min(part, count - 1));
}

// [cells down, cells across, orientations], means over the pixels of a cell.
std::vector<double> cell_histograms(const Image& image, std::int64_t across, std::int64_t down,
                                    const HogOptions& o) {
  std::vector<double> cells(static_cast<std::size_t>(across * down * o.orientations));
  for (std::int64_t y = 0; y < down * o.cell; ++y) {
    for (std::int64_t x = 0; x < across * o.cell; ++x) {
      const Gradient g = gradient(image, x, y);
      if (g.square == 0) continue;
      const std::int64_t cell = y / o.cell * across + x / o.cell;
      cells[static_cast<std::size_t>(cell * o.orientations) + direction(g, o.orientations)] +=
          std::sqrt(g.square);
    }
  }
  for (double& value : cells) value /= static_cast<double>(o.cell * o.cell);
  return cells;
}

void scale_to_length_one(std::span<double> block) {
  constexpr double eps = 1e-5;
  double square = eps * eps;
  for (const double value : block) square += value * value;
  const double length = std::sqrt(square);
  for (double& value : block) value /= length;
}

void normalize(std::span<double> block) {
  scale_to_length_one(block);
  for (double& value : block) value = std::min(value, 0.2);
  scale_to_length_one(block);
}

}  // namespace

std::int64_t hog_width(std::int64_t width, std::int64_t height, const HogOptions& o) {
  const std::int64_t across = width / o.cell - o.block + 1;
  const std::int64_t down = height / o.cell - o.block + 1;
  return across > 0 && down > 0 ? across * down * o.block * o.block * o.orientations : 0;
}

std::vector<float> hog(const Image& image, const HogOptions& o) {
  std::vector<float> result;
  if (hog_width(image.width, image.height, o) == 0) return result;
  result.reserve(static_cast<std::size_t>(hog_width(image.width, image.height, o)));
  const std::int64_t across = image.width / o.cell;
  const std::int64_t down = image.height / o.cell;
  const std::vector<double> cells = cell_histograms(image, across, down, o);
  const std::int64_t line = o.block * o.orientations;
  std::vector<double> block(static_cast<std::size_t>(o.block * line));
  for (std::int64_t y = 0; y + o.block <= down; ++y) {
    for (std::int64_t x = 0; x + o.block <= across; ++x) {
      for (std::int64_t row = 0; row < o.block; ++row) {
        std::copy_n(cells.begin() + ((y + row) * across + x) * o.orientations, line,
                    block.begin() + row * line);
      }
      normalize(block);
      result.insert(result.end(), block.begin(), block.end());
    }
  }
  return result;
}

}  // namespace espalier
