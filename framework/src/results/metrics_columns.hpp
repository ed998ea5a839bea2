// The rows of /metrics, column by column, so that millions of them can be gathered quickly.
#pragma once

#include "results/table.hpp"
#include "results/trial_result.hpp"
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace espalier {

// All of one length.
struct MetricsColumns {
  std::vector<std::int32_t> epoch;
  std::vector<std::int64_t> step;
  std::vector<std::string> split;
  std::vector<double> loss;
  std::vector<double> top1;
  std::vector<double> lr;
  std::vector<double> wall_s;

  [[nodiscard]] std::size_t rows() const noexcept { return epoch.size(); }
  void add(std::span<const EpochMetrics> rows);
  // As the last columns of `table`, in the order above.
  void move_to(Table& table) &&;
};

}  // namespace espalier
