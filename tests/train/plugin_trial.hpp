// Trials of the components that are built here, in a folder of the test's own.
#pragma once

#include <gtest/gtest.h>

#include <espalier/plugin/loader.hpp>
#include <filesystem>

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

  std::filesystem::path folder_;
  Catalog catalog_;
  Loader loader_;
};

}  // namespace espalier::testing_support
