#include "cube_internal.hpp"

#include "results/trial_fields.hpp"
#include <algorithm>
#include <limits>
#include <map>
#include <optional>

namespace espalier {
namespace {

constexpr std::size_t cells_a_trial = 64;
constexpr std::size_t always_fine = 100'000;

std::vector<std::size_t> axis_order(const PlanTable& plan) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < plan.axes.size(); ++i) order.push_back(i);
  std::stable_partition(order.begin(), order.end(),
                        [&](std::size_t i) { return plan.axes[i].key != "seed"; });
  return order;
}

using Places = std::map<Json, std::size_t>;

std::vector<Places> places_of(const PlanTable& plan) {
  std::vector<Places> places;
  for (const PlanAxis& axis : plan.axes) {
    Places& place = places.emplace_back();
    for (const Json& value : axis.values) place.try_emplace(value, place.size());
  }
  return places;
}

// The cells of one axis more: the one of the value, or all of them where it is null.
std::vector<std::size_t> along(const Places& places, const Json& value,
                               const std::vector<std::size_t>& cells) {
  std::vector<std::size_t> longer;
  const auto first = value.is_null() ? places.begin() : places.find(value);
  const auto last = value.is_null() || first == places.end() ? places.end() : std::next(first);
  for (const std::size_t cell : cells) {
    for (auto it = first; it != last; ++it) longer.push_back(cell * places.size() + it->second);
  }
  return longer;
}

}  // namespace

std::optional<Cube> Cube::of(const SweepTable& sweep) {
  const PlanTable& plan = sweep.plan;
  const std::size_t limit = std::max(always_fine, cells_a_trial * plan.rows.size());
  Cube cube;
  cube.axes_ = axis_order(plan);
  std::size_t product = 1;
  for (const std::size_t axis : cube.axes_) {
    const std::size_t size = plan.axes[axis].values.size();
    cube.sizes_.push_back(size);
    if (size == 0 || product > limit / size) return std::nullopt;
    product *= size;
  }
  if (cube.axes_.empty()) return std::nullopt;

  const std::vector<Places> places = places_of(plan);
  for (const PlanRow& row : plan.rows) {
    std::vector<std::size_t> cells{0};
    for (const std::size_t axis : cube.axes_) cells = along(places[axis], row.values[axis], cells);
    cube.cells_of_.push_back(std::move(cells));
  }
  return cube;
}

std::vector<double> Cube::cells(const SweepTable& sweep, std::string_view metric) const {
  std::size_t product = 1;
  for (const std::size_t size : sizes_) product *= size;
  std::vector<double> cells(product, std::numeric_limits<double>::quiet_NaN());
  for (std::size_t i = 0; i < sweep.records.size(); ++i) {
    if (sweep.records[i].status != TrialStatus::complete) continue;
    for (const std::size_t cell : cells_of_[i]) {
      cells[cell] = metric_of(sweep.records[i].result, metric);
    }
  }
  return cells;
}

}  // namespace espalier
