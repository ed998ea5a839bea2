#include "results/statistics.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace espalier {
namespace {

// Reference: numpy.mean, std(ddof=1), median, percentile, and scipy.stats.t.interval(0.95, n - 1,
// loc=mean, scale=sem) on the same values; sums of five numbers agree to a few units in the last
// place.
TEST(Spread, AgreesWithNumpyAndScipy) {
  const Spread spread = spread_of({0.71, 0.74, 0.69, 0.80, 0.76});
  EXPECT_EQ(spread.n, 5);
  EXPECT_NEAR(spread.mean, 0.74, 1e-15);
  EXPECT_NEAR(spread.std, 0.043011626335213146, 1e-15);
  EXPECT_NEAR(spread.median, 0.74, 1e-15);
  EXPECT_NEAR(spread.iqr, 0.05, 1e-15);
  EXPECT_NEAR(spread.ci_lo, 0.6865940120753727, 1e-12);
  EXPECT_NEAR(spread.ci_hi, 0.793405987924627, 1e-12);
}

TEST(Spread, InterpolatesQuartilesLinearly) {
  const Spread spread = spread_of({4, 1, 3, 2});
  EXPECT_DOUBLE_EQ(spread.median, 2.5);
  EXPECT_DOUBLE_EQ(spread.iqr, 3.25 - 1.75);
}

TEST(Spread, OfOneValueHasNoWidth) {
  const Spread spread = spread_of({0.5});
  EXPECT_EQ(spread.n, 1);
  EXPECT_EQ(spread.mean, 0.5);
  EXPECT_EQ(spread.iqr, 0);
  EXPECT_TRUE(std::isnan(spread.std));
  EXPECT_TRUE(std::isnan(spread.ci_lo));
}

TEST(Spread, LeavesMissingValuesOut) {
  EXPECT_EQ(spread_of({missing, 0.25, missing, 0.75}).n, 2);
  EXPECT_EQ(spread_of({missing, 0.25, missing, 0.75}).mean, 0.5);
  EXPECT_EQ(spread_of({}).n, 0);
  EXPECT_TRUE(std::isnan(spread_of({missing}).mean));
}

}  // namespace
}  // namespace espalier
