// Trials of the components that are built here, in a folder of the test's own.
#pragma once

#include <gtest/gtest.h>
#include <spdlog/spdlog.h>

#include "run/trial_request.hpp"
#include <atomic>
#include <cstdint>
#include <espalier/plugin/loader.hpp>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "train/resolved.hpp"

namespace espalier::testing_support {

class PluginTrial : public testing::Test {
 protected:
  PluginTrial()
      : folder_(std::filesystem::path(testing::TempDir()) /
                testing::UnitTest::GetInstance()->current_test_info()->name()),
        catalog_(described({.folders = {ESPALIER_BINARY_DIR "/plugins"}, .optional = {}})),
        loader_(catalog_) {
    std::filesystem::remove_all(folder_);
  }
  ~PluginTrial() override { std::filesystem::remove_all(folder_); }

  // Notes what the trial says, be it one of several at a time, and stops it after the epoch
  // `stop_after_`.
  TrialHooks hooks() {
    TrialHooks hooks;
    hooks.loader = &loader_;
    hooks.log = spdlog::default_logger().get();
    hooks.stop = &stop_;
    hooks.pool = pool_ ? &*pool_ : nullptr;
    hooks.reading = [this] { ++readings_; };
    hooks.epoch = [this](const EpochMetrics& row) {
      const std::lock_guard lock(notes_);
      rows_.push_back(row);
      if (row.epoch == stop_after_) stop_ = true;
    };
    hooks.stage = [this](std::string_view stage) {
      const std::lock_guard lock(notes_);
      stages_.emplace_back(stage);
    };
    hooks.warning = [this](const std::string& text) {
      const std::lock_guard lock(notes_);
      warnings_.push_back(text);
    };
    return hooks;
  }

  std::filesystem::path folder_;
  Catalog catalog_;
  Loader loader_;
  std::optional<ComponentPool> pool_;  // none: nothing is kept between trials
  std::atomic<int> readings_ = 0;      // how often a trial said that it reads its inputs
  std::atomic<bool> stop_ = false;
  std::int64_t stop_after_ = -1;
  std::mutex notes_;
  std::vector<EpochMetrics> rows_;
  std::vector<std::string> stages_;
  std::vector<std::string> warnings_;
};

// Every number that does not depend on the clock, bit by bit.
inline void expect_same(const TrialResult& a, const TrialResult& b) {
  ASSERT_EQ(a.metrics.size(), b.metrics.size());
  for (std::size_t i = 0; i < a.metrics.size(); ++i) {
    EXPECT_EQ(a.metrics[i].loss, b.metrics[i].loss) << i;
    EXPECT_EQ(a.metrics[i].top1, b.metrics[i].top1) << i;
  }
  EXPECT_EQ(a.test_loss, b.test_loss);
  EXPECT_EQ(a.best_epoch, b.best_epoch);
  ASSERT_EQ(a.predictions.size(), b.predictions.size());
  for (std::size_t i = 0; i < a.predictions.size(); ++i) {
    EXPECT_EQ(a.predictions[i].logits, b.predictions[i].logits);
    EXPECT_EQ(a.predictions[i].ids, b.predictions[i].ids);
  }
}

}  // namespace espalier::testing_support
