// A metric over the product of the axes.
#pragma once

#include "results/sweep_table.hpp"
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace espalier {

// Axes as in the plan, but `seed` last. Cells without a complete trial are NaN. A trial to which an
// axis makes no difference fills the cells of all its values.
class Cube {
 public:
  // Empty where there is no axis or the product has far more cells than there are trials.
  static std::optional<Cube> of(const SweepTable& sweep);

  [[nodiscard]] const std::vector<std::size_t>& axes() const noexcept { return axes_; }
  [[nodiscard]] const std::vector<std::size_t>& sizes() const noexcept { return sizes_; }
  // Row-major.
  [[nodiscard]] std::vector<double> cells(const SweepTable& sweep, std::string_view metric) const;

 private:
  std::vector<std::size_t> axes_;  // into PlanTable::axes
  std::vector<std::size_t> sizes_;
  std::vector<std::vector<std::size_t>> cells_of_;  // the rows of the plan
};

}  // namespace espalier
