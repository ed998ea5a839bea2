#include <cmath>
#include <numbers>

#include "datasets/flora/parts.hpp"

namespace espalier::flora {
namespace {

struct Backdrop {
  Rgb top, bottom;      // of the gradient
  Rgb patch;            // what the noise mixes in
  double coarse, fine;  // how much of it, at both scales
  std::int64_t cells;
};

constexpr Backdrop backdrops[] = {
    {{158, 196, 120}, {62, 118, 48}, {205, 220, 130}, 0.5, 0.15, 5},     // meadow
    {{104, 164, 232}, {206, 230, 250}, {250, 252, 255}, 0.75, 0.15, 4},  // sky
    {{128, 98, 72}, {92, 66, 46}, {54, 38, 28}, 0.35, 0.6, 12},          // soil
    {{176, 174, 170}, {140, 136, 132}, {104, 102, 102}, 0.5, 0.4, 8},    // stone
    {{34, 58, 48}, {14, 26, 24}, {58, 92, 66}, 0.6, 0.15, 4},            // shade
};

void paint_gradient(Canvas& canvas, const Backdrop& backdrop, const ValueNoise& noise) {
  const auto size = static_cast<double>(canvas.size());
  for (std::int64_t row = 0; row < canvas.size(); ++row) {
    const double y = (static_cast<double>(row) + 0.5) / size;
    const Rgb base = mix(backdrop.top, backdrop.bottom, y);
    for (std::int64_t column = 0; column < canvas.size(); ++column) {
      const double x = (static_cast<double>(column) + 0.5) / size;
      const double coarse = noise(x, y, backdrop.cells);
      const double fine = noise(y, x, 2 * backdrop.cells + 7);
      canvas.at(column, row) = mix(base, backdrop.patch,
                                   backdrop.coarse * coarse * coarse + backdrop.fine * fine * fine);
    }
  }
}

void paint_blobs(Canvas& canvas, const Rgb& colour, std::int64_t count, double largest,
                 double opacity, Random& random) {
  const auto size = static_cast<double>(canvas.size());
  const Polygon outline = disc(16);
  for (std::int64_t i = 0; i < count; ++i) {
    const double radius = random.uniform(0.35, 1) * largest * size;
    const double x = random.uniform() * size;
    const double y = random.uniform() * size;
    const double strength = opacity * random.uniform(0.4, 1);
    const Affine place{radius, 0, 0, radius, x, y};
    canvas.fill(mapped(outline, place), strength, colour);
  }
}

void paint_grass(Canvas& canvas, std::int64_t count, Random& random) {
  const auto size = static_cast<double>(canvas.size());
  for (std::int64_t i = 0; i < count; ++i) {
    const double x = random.uniform(-0.1, 1.1) * size;
    const double height = random.uniform(0.2, 0.7) * size;
    const double sway = random.uniform(-0.2, 0.2) * size;
    const Rgb colour = mix({48, 96, 40}, {150, 190, 90}, random.uniform());
    canvas.fill(band({x, size * 1.02}, {x, size - height * 0.6}, {x + sway, size - height},
                     size * 0.02, size * 0.004),
                0.55, colour);
  }
}

}  // namespace

ValueNoise::ValueNoise(Random& random) : grid_(static_cast<std::size_t>(side * side)) {
  for (double& value : grid_) value = random.uniform();
}

double ValueNoise::operator()(double x, double y, std::int64_t cells) const {
  const double gx = x * static_cast<double>(cells), gy = y * static_cast<double>(cells);
  const auto ix = static_cast<std::int64_t>(gx), iy = static_cast<std::int64_t>(gy);
  const double fx = gx - static_cast<double>(ix), fy = gy - static_cast<double>(iy);
  const double sx = fx * fx * (3 - 2 * fx), sy = fy * fy * (3 - 2 * fy);
  const double* row = grid_.data() + iy * side + ix;
  const double top = row[0] + (row[1] - row[0]) * sx;
  const double bottom = row[side] + (row[side + 1] - row[side]) * sx;
  return top + (bottom - top) * sy;
}

void paint_background(Canvas& canvas, Background background, Random& random) {
  const ValueNoise noise(random);
  paint_gradient(canvas, backdrops[static_cast<std::size_t>(background)], noise);
  switch (background) {
    case Background::meadow:
      paint_blobs(canvas, {232, 240, 190}, 6, 0.1, 0.35, random);
      paint_grass(canvas, 22, random);
      return;
    case Background::soil:
      return paint_blobs(canvas, {170, 146, 120}, 24, 0.025, 0.7, random);
    case Background::stone:
      return paint_blobs(canvas, {205, 203, 196}, 18, 0.04, 0.35, random);
    case Background::shade:
      return paint_blobs(canvas, {92, 140, 104}, 9, 0.11, 0.3, random);
    case Background::sky:
      return paint_blobs(canvas, {255, 255, 255}, 5, 0.13, 0.18, random);
  }
}

}  // namespace espalier::flora
