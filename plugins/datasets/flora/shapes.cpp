#include <algorithm>
#include <cmath>
#include <numbers>

#include "datasets/flora/parts.hpp"

namespace espalier::flora {
namespace {

using std::numbers::pi;
constexpr double widest = 0.62;  // where a petal is broadest

// The upper half of a petal's end, from (widest, half_width) to the middle of the tip.
Point tip_point(Tip tip, double half_width, double s) {
  const double angle = s * pi / 2;
  const double reach = 1 - widest;
  switch (tip) {
    case Tip::pointed: {
      const double a = (1 - s) * (1 - s), b = 2 * s * (1 - s);
      return {(a + b) * widest + b * 0.45 * reach + s * s, half_width * (a + b * 0.9)};
    }
    case Tip::notched: {
      const double across = std::cos(angle);
      const double depth = 1 - 0.75 * std::max(0.0, 1 - across / 0.55);
      return {widest + reach * std::sin(angle) * depth, half_width * 1.06 * across};
    }
    default:
      return {widest + reach * std::sin(angle), half_width * std::cos(angle)};
  }
}

// Teeth across a blunt end, mirror-symmetric.
Point fringe_point(double half_width, std::int64_t corner, std::int64_t corners) {
  const double s = static_cast<double>(corner) / static_cast<double>(corners);
  const double across = 1 - s;
  const double blunt =
      widest + (1 - widest) * std::sqrt(std::sqrt(std::max(0.0, 1 - across * across)));
  return {corner % 2 == 0 ? blunt : blunt - 0.2, half_width * 1.05 * across};
}

std::vector<Point> upper_edge(Tip tip, double half_width) {
  std::vector<Point> edge;
  const double foot = std::min(0.05, half_width * 0.4);
  for (int i = 0; i < 8; ++i) {
    const double s = i / 8.0;
    const double rise = std::sin(s * pi / 2);
    edge.push_back({widest * s, foot + (half_width - foot) * rise * rise * (2 - rise)});
  }
  constexpr std::int64_t corners = 12, teeth = 4;
  if (tip == Tip::fringed) {
    for (std::int64_t i = 0; i <= teeth; ++i) edge.push_back(fringe_point(half_width, i, teeth));
  } else {
    for (std::int64_t i = 0; i <= corners; ++i) {
      edge.push_back(tip_point(tip, half_width, static_cast<double>(i) / corners));
    }
  }
  return edge;
}

// The edge and its mirror image; its last point lies on the axis.
Polygon mirrored(const std::vector<Point>& edge) {
  Polygon outline = edge;
  for (auto p = edge.rbegin() + 1; p != edge.rend(); ++p) outline.push_back({p->x, -p->y});
  return outline;
}

// An ellipse's edge with pointed ends where `sharp`, cut in by teeth.
std::vector<Point> oval_edge(double half_width, bool sharp, bool toothed) {
  constexpr int corners = 18;
  std::vector<Point> edge;
  for (int i = 0; i < corners; ++i) {
    const double x = static_cast<double>(i) / corners;
    const double round = std::sqrt(4 * x * (1 - x));
    const double y = half_width * (sharp ? 4 * x * (1 - x) * (1.35 - 0.7 * x) : round);
    edge.push_back({x, toothed && i % 2 == 1 ? 0.6 * y : y});
  }
  edge.push_back({1, 0});
  return edge;
}

// A lobe behind the foot, then a curve to the tip.
std::vector<Point> heart_edge() {
  std::vector<Point> edge{{0.07, 0}};
  for (int i = 0; i <= 8; ++i) {
    const double angle = pi * (1.45 - i * 0.125);
    edge.push_back({0.14 + 0.2 * std::cos(angle), 0.17 + 0.16 * std::sin(angle)});
  }
  for (int i = 1; i <= 8; ++i) {
    const double t = i / 8.0, u = 1 - t;
    edge.push_back({u * u * 0.17 + 2 * u * t * 0.62 + t * t, u * u * 0.33 + 2 * u * t * 0.3});
  }
  return edge;
}

std::vector<Point> leaf_edge(Leaf leaf) {
  switch (leaf) {
    case Leaf::oval:
      return oval_edge(0.27, false, false);
    case Leaf::lance:
      return oval_edge(0.11, true, false);
    case Leaf::heart:
      return heart_edge();
    default:
      return oval_edge(0.3, false, true);
  }
}

}  // namespace

double petal_half_width(const Species& s) {
  const double slot = std::tan(pi / static_cast<double>(s.petals)) * widest;
  return s.width == Width::broad ? std::min(0.44, slot + 0.04) : std::min(0.2, 0.5 * slot + 0.03);
}

Polygon petal_outline(Tip tip, double half_width, double bend) {
  Polygon outline = mirrored(upper_edge(tip, half_width));
  for (Point& p : outline) p.y += bend * p.x * p.x;
  return outline;
}

Polygon leaf_outline(Leaf leaf) { return mirrored(leaf_edge(leaf)); }

Polygon disc(std::int64_t corners) {
  Polygon outline;
  for (std::int64_t i = 0; i < corners; ++i) {
    const double angle = 2 * pi * static_cast<double>(i) / static_cast<double>(corners);
    outline.push_back({std::cos(angle), std::sin(angle)});
  }
  return outline;
}

Polygon star(std::int64_t points, double inner_radius) {
  Polygon outline = disc(2 * points);
  for (std::size_t i = 1; i < outline.size(); i += 2) {
    outline[i] = {outline[i].x * inner_radius, outline[i].y * inner_radius};
  }
  return outline;
}

Polygon band(Point from, Point control, Point to, double width_from, double width_to) {
  constexpr int steps = 10;
  Polygon left, right;
  for (int i = 0; i <= steps; ++i) {
    const double t = static_cast<double>(i) / steps, u = 1 - t;
    const Point p{u * u * from.x + 2 * u * t * control.x + t * t * to.x,
                  u * u * from.y + 2 * u * t * control.y + t * t * to.y};
    const Point way{u * (control.x - from.x) + t * (to.x - control.x),
                    u * (control.y - from.y) + t * (to.y - control.y)};
    const double half =
        (width_from * u + width_to * t) / 2 / std::sqrt(way.x * way.x + way.y * way.y);
    left.push_back({p.x - way.y * half, p.y + way.x * half});
    right.push_back({p.x + way.y * half, p.y - way.x * half});
  }
  left.insert(left.end(), right.rbegin(), right.rend());
  return left;
}

}  // namespace espalier::flora
