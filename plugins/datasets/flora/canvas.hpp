// A canvas of doubles on which polygons are filled with exact area coverage.
#pragma once

#include <algorithm>
#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <espalier/image/image.hpp>
#include <vector>

namespace espalier {

struct Point {
  double x = 0;
  double y = 0;
};

using Polygon = std::vector<Point>;
using Rgb = std::array<double, 3>;  // levels, 0 to 255

[[nodiscard]] inline Rgb mix(const Rgb& a, const Rgb& b, double t) {
  return {a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t, a[2] + (b[2] - a[2]) * t};
}

[[nodiscard]] inline Rgb scaled(const Rgb& a, double factor) {
  return {a[0] * factor, a[1] * factor, a[2] * factor};
}

// (x, y) -> (a x + b y + tx, c x + d y + ty)
struct Affine {
  double a = 1, b = 0, c = 0, d = 1, tx = 0, ty = 0;

  [[nodiscard]] Point operator()(Point p) const {
    return {a * p.x + b * p.y + tx, c * p.x + d * p.y + ty};
  }
  // This map after `first`.
  [[nodiscard]] Affine after(const Affine& first) const;
  [[nodiscard]] Affine inverse() const;
  [[nodiscard]] static Affine rotation(double angle);
  [[nodiscard]] static Affine scaling(double x, double y) { return {x, 0, 0, y, 0, 0}; }
  [[nodiscard]] static Affine translation(double x, double y) { return {1, 0, 0, 1, x, y}; }
};

[[nodiscard]] Polygon mapped(const Polygon& polygon, const Affine& map);

// The part of every pixel that lies inside a polygon, over the polygon's bounding box.
class Coverage {
 public:
  Coverage(const Polygon& polygon, std::int64_t canvas_size);

  [[nodiscard]] std::int64_t left() const noexcept { return left_; }
  [[nodiscard]] std::int64_t top() const noexcept { return top_; }
  [[nodiscard]] std::int64_t width() const noexcept { return width_; }
  [[nodiscard]] std::int64_t height() const noexcept { return height_; }
  // width() + 2 values; a pixel's coverage is the sum up to it, sign aside.
  [[nodiscard]] const double* steps(std::int64_t row) const {
    return steps_.data() + row * (width_ + 2);
  }

 private:
  void add_edge(Point from, Point to);
  void add_span(double* row, double x0, double x1, double height);

  std::int64_t left_ = 0, top_ = 0, width_ = 0, height_ = 0;
  std::vector<double> steps_;
};

class Canvas {
 public:
  explicit Canvas(std::int64_t size)
      : size_(size), pixels_(static_cast<std::size_t>(size * size)) {}

  [[nodiscard]] std::int64_t size() const noexcept { return size_; }
  [[nodiscard]] Rgb& at(std::int64_t x, std::int64_t y) {
    return pixels_[static_cast<std::size_t>(y * size_ + x)];
  }

  // Lays `colour(middle of the pixel)` over what is there.
  template <std::invocable<Point> Colour>
  void fill(const Polygon& polygon, double opacity, Colour&& colour) {
    const Coverage coverage(polygon, size_);
    for (std::int64_t row = 0; row < coverage.height(); ++row) {
      const double* step = coverage.steps(row);
      Rgb* pixel = &at(coverage.left(), coverage.top() + row);
      const double y = static_cast<double>(coverage.top() + row) + 0.5;
      double sum = 0;
      for (std::int64_t column = 0; column < coverage.width(); ++column, ++pixel) {
        sum += step[column];
        const double alpha = std::min(sum < 0 ? -sum : sum, 1.0) * opacity;
        if (alpha < 1e-4) continue;
        const Point at{static_cast<double>(coverage.left() + column) + 0.5, y};
        *pixel = mix(*pixel, colour(at), alpha);
      }
    }
  }

  void fill(const Polygon& polygon, double opacity, const Rgb& colour) {
    fill(polygon, opacity, [&](Point) -> const Rgb& { return colour; });
  }

 private:
  std::int64_t size_;
  std::vector<Rgb> pixels_;
};

}  // namespace espalier
