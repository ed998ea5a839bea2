// What repeated measurements say together.
#pragma once

#include "results/trial_result.hpp"
#include <cstdint>
#include <vector>

namespace espalier {

// Of the values that are not missing. Without any, everything is NaN; with one, std and interval
// are.
struct Spread {
  std::int64_t n = 0;
  double mean = missing;
  double std = missing;  // of the sample: divided by n - 1
  double median = missing;
  double iqr = missing;    // third less first quartile, interpolated linearly as numpy does
  double ci_lo = missing;  // 95 % confidence interval of the mean by Student's t
  double ci_hi = missing;
};

[[nodiscard]] Spread spread_of(std::vector<double> values);

}  // namespace espalier
