#include <espalier/graph/layout.hpp>

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <cmath>
#include <espalier/core/error.hpp>
#include <espalier/core/random.hpp>
#include <limits>

namespace espalier {
namespace {

constexpr int layout_steps = 400;

// A direction of large variance, by power iteration, without what lies along `found`.
at::Tensor principal(const at::Tensor& centred, const at::Tensor& found, Random& random) {
  at::Tensor direction = centred.new_zeros({centred.size(1)});
  for (std::int64_t k = 0; k < direction.numel(); ++k) direction[k] = random.normal();
  for (int i = 0; i < 30; ++i) {
    direction = centred.t().mv(centred.mv(direction));
    if (found.defined()) direction -= found * found.dot(direction);
    const auto length = direction.norm().item<double>();
    if (length > 0) direction /= length;
  }
  return direction;
}

Places first_places(const at::Tensor& features, Random& random) {
  const at::Tensor rows = features.detach().cpu().to(at::kDouble);
  const at::Tensor centred = rows - rows.mean(0);
  const at::Tensor first = principal(centred, {}, random);
  const at::Tensor x = centred.mv(first);
  const at::Tensor y = centred.mv(principal(centred, first, random));
  const double scale =
      std::max({x.abs().max().item<double>(), y.abs().max().item<double>(), 1e-12});
  Places places;
  for (std::int64_t i = 0; i < rows.size(0); ++i) {
    // Equal nodes must not stand at one place: nothing would part them.
    places.emplace_back(0.5 + 0.4 * x[i].item<double>() / scale + 0.01 * random.uniform(-1, 1),
                        0.5 + 0.4 * y[i].item<double>() / scale + 0.01 * random.uniform(-1, 1));
  }
  return places;
}

void repel(const Places& places, double rest, Places& force) {
  for (std::size_t i = 0; i < places.size(); ++i) {
    for (std::size_t j = i + 1; j < places.size(); ++j) {
      const double dx = places[i].first - places[j].first;
      const double dy = places[i].second - places[j].second;
      const double push = rest * rest / std::max(dx * dx + dy * dy, 1e-9);
      force[i].first += dx * push;
      force[i].second += dy * push;
      force[j].first -= dx * push;
      force[j].second -= dy * push;
    }
  }
}

void attract(const std::vector<Edge>& edges, const Places& places, double rest, Places& force) {
  for (const Edge& edge : edges) {
    const auto i = static_cast<std::size_t>(edge.target), j = static_cast<std::size_t>(edge.source);
    const double dx = places[i].first - places[j].first;
    const double dy = places[i].second - places[j].second;
    const double pull = std::sqrt(dx * dx + dy * dy) / rest / 2;  // an edge has two directions
    force[i].first -= dx * pull;
    force[i].second -= dy * pull;
    force[j].first += dx * pull;
    force[j].second += dy * pull;
  }
}

// Towards the middle, so that what hangs on nothing stays in the picture.
void gather(const Places& places, Places& force) {
  for (std::size_t i = 0; i < places.size(); ++i) {
    force[i].first += 0.3 * (0.5 - places[i].first);
    force[i].second += 0.3 * (0.5 - places[i].second);
  }
}

void relocate(const Places& force, double most, Places& places) {
  for (std::size_t i = 0; i < places.size(); ++i) {
    const double length = std::hypot(force[i].first, force[i].second);
    if (length == 0) continue;
    const double step = std::min(length, most) / length;
    places[i].first += force[i].first * step;
    places[i].second += force[i].second * step;
  }
}

void fit_unit_square(Places& places) {
  double left = std::numeric_limits<double>::infinity(), top = left, right = -left, bottom = -left;
  for (const auto& [x, y] : places) {
    left = std::min(left, x);
    right = std::max(right, x);
    top = std::min(top, y);
    bottom = std::max(bottom, y);
  }
  for (auto& [x, y] : places) {
    x = right > left ? (x - left) / (right - left) : 0.5;
    y = bottom > top ? (y - top) / (bottom - top) : 0.5;
  }
}

}  // namespace

Places force_layout(const CsrGraph& graph, const at::Tensor& features) {
  ESPALIER_ASSERT(graph.square() && features.size(0) == graph.targets, "features of the nodes");
  if (graph.targets == 0) return {};
  Random random(std::uint64_t{1});
  Places places = first_places(features, random);
  const std::vector<Edge> edges = edges_of(graph);
  const double rest = 0.7 / std::sqrt(static_cast<double>(graph.targets));
  for (int step = 0; step < layout_steps; ++step) {
    Places force(places.size());
    repel(places, rest, force);
    attract(edges, places, rest, force);
    gather(places, force);
    relocate(force, 0.1 * (1 - static_cast<double>(step) / layout_steps), places);
  }
  fit_unit_square(places);
  return places;
}

}  // namespace espalier
