#include "run/trial_times.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "run/sweep_fixture.hpp"

namespace espalier {
namespace {

// Half a second for opening things, 0.3 s beside the epochs, a slow first epoch and three of 0.2 s.
TrialResult pilot() {
  TrialResult result;
  result.total_seconds = 0.5 + 0.3 + 0.4 + 3 * 0.2;
  result.timing = {{.stage = "dataset", .seconds = 0.2},
                   {.stage = "features", .seconds = 0.2},
                   {.stage = "activations", .seconds = 0.1},
                   {.stage = "train", .seconds = 1.0}};
  const double walls[] = {0.0, 0.4, 0.6, 0.8, 1.0};
  for (std::int32_t epoch = 0; epoch <= 4; ++epoch) {
    for (const char* split : {"train", "val"}) {
      result.metrics.push_back({.epoch = epoch, .split = split, .wall_s = walls[epoch]});
    }
  }
  result.prefix_flops = 600;
  result.forward_flops = 200;
  result.forward_seconds = 0.1;
  result.peak_rss_bytes = 1 << 20;
  return result;
}

const Json config = {{"graph", {{"use", "none"}}},
                     {"head", {{"use", "linear"}}},
                     {"train", {{"epochs", 60}, {"lr", 0.1}}}};

TEST(TrialTimesTest, ATrialIsItsEpochsAndTheRest) {
  const TrialTime time = time_of(pilot());
  EXPECT_NEAR(time.epoch, 0.2, 1e-12);
  EXPECT_NEAR(time.fixed, 0.5, 1e-12) << "0.3 s, and 0.2 s more of the first epoch";
  EXPECT_NEAR(time.shared, 0.3, 1e-12) << "three times the operations of the forward passes";
  EXPECT_EQ(time.peak_bytes, 1 << 20);
  EXPECT_NEAR(seconds_of(time, config), 0.5 + 60 * 0.2, 1e-9);
}

TEST(TrialTimesTest, EveryCandidateIsTrained) {
  Json tuned = config;
  tuned["tune"] = {{"trials", 0}, {"train.epochs", {10, 20}}, {"train.lr", {0.1, 0.2}}};
  EXPECT_NEAR(seconds_of({.fixed = 0.5, .epoch = 0.2}, tuned), 5 * 0.5 + 2 * (10 + 20) * 0.2, 1e-9);
}

TEST(TrialTimesTest, EveryGraphIsTrainedWithEveryCandidate) {
  TrialResult result = pilot();
  result.candidates.resize(3);
  result.timing.push_back({.stage = "tune", .seconds = 7.5});
  result.total_seconds += 7.5;
  TrialTime time = time_of(result);
  EXPECT_EQ(time.graphs, 3u);
  EXPECT_NEAR(time.fixed, 0.5, 1e-12) << "without the other trainings";
  EXPECT_NEAR(seconds_of(time, config), 3 * (0.5 + 60 * 0.2) + 0.5, 1e-9);
  Json tuned = config;
  tuned["tune"] = {{"trials", 0}, {"train.lr", {0.1, 0.2}}};
  EXPECT_NEAR(seconds_of(time, tuned), 6 * (0.5 + 60 * 0.2) + 0.5, 1e-9);
}

TEST(TrialTimesTest, WhatTrainsNothingHasNoEpochs) {
  TrialResult result = pilot();
  std::erase_if(result.metrics, [](const EpochMetrics& row) { return row.epoch > 0; });
  result.prefix_flops = result.forward_flops = result.forward_seconds = 0;
  const TrialTime time = time_of(result);
  EXPECT_EQ(time.epoch, 0);
  EXPECT_TRUE(std::isnan(time.shared));
  Json zero_shot = config;
  zero_shot["head"]["use"] = "zero_shot";
  EXPECT_EQ(seconds_of({.fixed = 0.5, .epoch = 0.2}, zero_shot), 0.5);
}

class TrialTimesFile : public FolderTest {};

TEST_F(TrialTimesFile, IsOfOneMachine) {
  const auto file = folder_ / "times";
  {
    TrialTimes times(file, "this");
    times.add("combo", time_of(pilot()));
    times.save();
  }
  const TrialTimes same(file, "this");
  ASSERT_NE(same.find("combo"), nullptr);
  EXPECT_EQ(same.find("combo")->epoch, time_of(pilot()).epoch);
  EXPECT_EQ(same.find("combo")->peak_bytes, 1 << 20);
  EXPECT_EQ(same.find("other"), nullptr);
  EXPECT_EQ(TrialTimes(file, "that").find("combo"), nullptr);
  for (const char* damaged :
       {"", "{", "[]", R"({"format": 2, "machine": "this", "times": {"combo": {}}})"}) {
    std::ofstream(file) << damaged;
    EXPECT_EQ(TrialTimes(file, "this").find("combo"), nullptr) << damaged;
  }
}

}  // namespace
}  // namespace espalier
