#include "train/schedule.hpp"

#include <gtest/gtest.h>

#include "graph/golden.hpp"

namespace espalier {
namespace {

void expect_rates(const std::string& shape, const std::string& reference, std::int64_t warmup) {
  const Json all = golden::json("metrics/schedules.json");
  const Json& expected = all.at("rates").at(reference);
  const Schedule schedule(shape, 0.01, 40, warmup);
  for (std::int64_t step = 0; step < 40; ++step) {
    EXPECT_NEAR(schedule.rate(step), expected.at(static_cast<std::size_t>(step)).get<double>(),
                1e-12);
  }
}

TEST(Schedule, CosineWithWarmUpIsTheReference) { expect_rates("cosine", "cosine_warmup", 5); }
TEST(Schedule, ConstantIsTheReference) { expect_rates("constant", "constant", 0); }

TEST(Schedule, AWarmUpOfAllStepsNeverDividesByZero) {
  EXPECT_EQ(Schedule("cosine", 1, 0, 0).rate(0), 1);
  EXPECT_EQ(Schedule("cosine", 1, 4, 4).rate(3), 0.75);
}

}  // namespace
}  // namespace espalier
