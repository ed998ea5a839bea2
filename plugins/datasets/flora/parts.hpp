// The parts of a painted flower.
#pragma once

#include "datasets/flora/flora.hpp"

#include "datasets/flora/canvas.hpp"

namespace espalier::flora {

// Outlines in the petal's or leaf's own frame: from (0, 0) along x to the tip at (1, 0).
[[nodiscard]] double petal_half_width(const Species& species);
[[nodiscard]] Polygon petal_outline(Tip tip, double half_width, double bend);
[[nodiscard]] Polygon leaf_outline(Leaf leaf);
// Radius 1 around the origin.
[[nodiscard]] Polygon disc(std::int64_t corners);
[[nodiscard]] Polygon star(std::int64_t points, double inner_radius);
// A band along a quadratic curve, tapering from one width to another.
[[nodiscard]] Polygon band(Point from, Point control, Point to, double width_from, double width_to);

// Smooth noise in [0, 1] over the unit square.
class ValueNoise {
 public:
  explicit ValueNoise(Random& random);
  [[nodiscard]] double operator()(double x, double y, std::int64_t cells) const;

 private:
  static constexpr std::int64_t side = 33;
  std::vector<double> grid_;
};

void paint_background(Canvas& canvas, Background background, Random& random);

}  // namespace espalier::flora
