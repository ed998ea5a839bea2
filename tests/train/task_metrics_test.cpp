#include "train/task_metrics.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace espalier {
namespace {

constexpr double none = std::numeric_limits<double>::quiet_NaN();

// By hand: task 0 goes 0.9, 0.95, 0.6 and task 1 goes 0.8, 0.7.
const AccuracyMatrix three = {{0.9, none, none}, {0.95, 0.8, none}, {0.6, 0.7, 0.75}};

TEST(TaskMetrics, AreThoseOfTheirPapers) {
  EXPECT_NEAR(backward_transfer(three), ((0.6 - 0.9) + (0.7 - 0.8)) / 2, 1e-15);
  EXPECT_NEAR(forgetting(three), ((0.95 - 0.6) + (0.8 - 0.7)) / 2, 1e-15);
}

TEST(TaskMetrics, TellATaskThatGotBetter) {
  const AccuracyMatrix better = {{0.5, none}, {0.7, 0.9}};
  EXPECT_NEAR(backward_transfer(better), 0.2, 1e-15);
  EXPECT_NEAR(forgetting(better), -0.2, 1e-15);
}

TEST(TaskMetrics, OfOneTaskAreMissing) {
  EXPECT_TRUE(std::isnan(backward_transfer({{0.5}})));
  EXPECT_TRUE(std::isnan(forgetting({{0.5}})));
}

}  // namespace
}  // namespace espalier
