#include <algorithm>
#include <cmath>

#include "datasets/flora/canvas.hpp"

namespace espalier {

Affine Affine::after(const Affine& f) const {
  return {a * f.a + b * f.c, a * f.b + b * f.d,        c * f.a + d * f.c,
          c * f.b + d * f.d, a * f.tx + b * f.ty + tx, c * f.tx + d * f.ty + ty};
}

Affine Affine::inverse() const {
  const double s = 1.0 / (a * d - b * c);
  return {d * s, -b * s, -c * s, a * s, (b * ty - d * tx) * s, (c * tx - a * ty) * s};
}

Affine Affine::rotation(double angle) {
  const double cosine = std::cos(angle);
  const double sine = std::sin(angle);
  return {cosine, -sine, sine, cosine, 0, 0};
}

Polygon mapped(const Polygon& polygon, const Affine& map) {
  Polygon result(polygon.size());
  std::transform(polygon.begin(), polygon.end(), result.begin(), map);
  return result;
}

Coverage::Coverage(const Polygon& polygon, std::int64_t canvas_size) {
  const auto limit = static_cast<double>(canvas_size);
  double x0 = limit, y0 = limit, x1 = 0, y1 = 0;
  for (const Point& p : polygon) {
    x0 = std::min(x0, p.x), x1 = std::max(x1, p.x);
    y0 = std::min(y0, p.y), y1 = std::max(y1, p.y);
  }
  left_ = static_cast<std::int64_t>(std::floor(std::max(x0, 0.0)));
  top_ = static_cast<std::int64_t>(std::floor(std::max(y0, 0.0)));
  width_ = static_cast<std::int64_t>(std::ceil(std::min(x1, limit))) - left_;
  height_ = static_cast<std::int64_t>(std::ceil(std::min(y1, limit))) - top_;
  if (width_ <= 0 || height_ <= 0) {
    width_ = height_ = 0;
    return;
  }
  steps_.assign(static_cast<std::size_t>((width_ + 2) * height_), 0.0);
  for (std::size_t i = 0; i < polygon.size(); ++i) {
    add_edge(polygon[i], polygon[(i + 1) % polygon.size()]);
  }
}

void Coverage::add_edge(Point from, Point to) {
  if (from.y == to.y) return;
  const double direction = from.y < to.y ? 1.0 : -1.0;
  if (direction < 0) std::swap(from, to);
  const auto left = static_cast<double>(left_);
  const auto top = static_cast<double>(top_);
  const auto width = static_cast<double>(width_);
  const double slope = (to.x - from.x) / (to.y - from.y);
  const double begin = std::max(from.y - top, 0.0);
  const double end = std::min(to.y - top, static_cast<double>(height_));
  for (auto row = static_cast<std::int64_t>(begin); static_cast<double>(row) < end; ++row) {
    const double y0 = std::max(begin, static_cast<double>(row));
    const double y1 = std::min(end, static_cast<double>(row + 1));
    const double a = std::clamp(from.x - left + (y0 + top - from.y) * slope, 0.0, width);
    const double b = std::clamp(from.x - left + (y1 + top - from.y) * slope, 0.0, width);
    add_span(steps_.data() + row * (width_ + 2), std::min(a, b), std::max(a, b),
             direction * (y1 - y0));
  }
}

// An edge that goes from x0 to x1 within one row and covers `height` of it: every pixel right of it
// gains `height`, the pixels that it crosses gain the area right of the edge.
void Coverage::add_span(double* row, double x0, double x1, double height) {
  const auto first = static_cast<std::int64_t>(x0);
  double before = 0;
  for (std::int64_t column = first;; ++column) {
    const auto edge = static_cast<double>(column);
    if (x1 <= edge + 1) {
      const double share = x1 > x0 ? (x1 - std::max(x0, edge)) / (x1 - x0) : 1.0;
      const double mean = (std::max(x0, edge) + x1) / 2 - edge;
      const double total = (1 - share) + share * (1 - mean);
      row[column] += height * (total - before);
      row[column + 1] += height * (1 - total);
      return;
    }
    const double start = std::max(x0, edge);
    const double share = (edge + 1 - start) / (x1 - x0);
    const double passed = (start - x0) / (x1 - x0);
    const double total = passed + share * (1 - ((start + edge + 1) / 2 - edge));
    row[column] += height * (total - before);
    before = total;
  }
}

}  // namespace espalier
