// What pairs of measurements say: the same seed and settings with one method and with another.
//
// Sign-flip test (Fisher 1935): were the methods alike, each difference could as well have the
// other sign; p is the share of the 2^n choices of signs whose mean is as far from zero as the one
// that was seen. Correction for many comparisons: Holm 1979. The interval of the mean of the
// differences is spread_of()'s.
#pragma once

#include "results/trial_result.hpp"
#include <cstddef>
#include <cstdint>
#include <vector>

namespace espalier {

struct SignFlip {
  double p = missing;  // two-sided; missing without differences
  bool exact = true;   // else from `sign_flip_draws` draws with a seed that is always the same
};

// Up to so many pairs all choices of signs are counted.
inline constexpr std::size_t most_exact_pairs = 20;
inline constexpr std::int64_t sign_flip_draws = 100'000;

[[nodiscard]] SignFlip sign_flip(const std::vector<double>& differences);
// The smallest p that sign_flip() can give for so many pairs: 2 / 2^n, or of draws 1 / (draws + 1).
[[nodiscard]] double smallest_sign_flip_p(std::size_t pairs);

// The same p values corrected so that the chance of any false claim among them stays below the
// level: the largest of (m - j + 1) p_j up to the place of each, at most 1. Missing ones stay
// missing and do not count.
[[nodiscard]] std::vector<double> holm_corrected(const std::vector<double>& p);

// The mean difference, in standard deviations of the differences, that a paired t test at the level
// 0.05 sees in 80 of 100 repetitions; missing for fewer than 3 pairs.
[[nodiscard]] double detectable_effect(std::size_t pairs);

}  // namespace espalier
