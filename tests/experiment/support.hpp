// Experiments written in place.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include "experiment/plan.hpp"
#include "experiment/source.hpp"
#include <espalier/core/error.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "experiment/components.hpp"

namespace espalier::testing_support {

// A folder that goes away with the test.
class Experiment : public testing::Test {
 protected:
  Experiment()
      : folder_(std::filesystem::path(testing::TempDir()) /
                (std::string("experiment_") +
                 testing::UnitTest::GetInstance()->current_test_info()->name() + "_" +
                 std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
  }
  ~Experiment() override { std::filesystem::remove_all(folder_); }

  std::filesystem::path put(const std::string& name, const std::string& bytes) const {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << bytes;
    return folder_ / name;
  }

  [[nodiscard]] ExperimentSource source(const std::string& yaml,
                                        const std::vector<std::string>& overrides = {}) const {
    return ExperimentSource::read(put("e.yaml", yaml), overrides);
  }

  [[nodiscard]] Plan plan(const std::string& yaml, const std::vector<std::string>& overrides = {},
                          std::vector<ComponentInfo> catalog = components()) const {
    return Plan::make(source(yaml, overrides), Catalog::of(std::move(catalog)), folder_ / "results",
                      {}, inspector_);
  }

  // Why a trial cannot be.
  static std::string reason(const Plan& plan, std::size_t trial) {
    return plan.reasons()[plan.trials()[trial].reason];
  }

  // The text of the Error, with the folder taken out.
  [[nodiscard]] std::string message(const std::string& yaml,
                                    const std::vector<std::string>& overrides = {}) const {
    try {
      (void)plan(yaml, overrides);
    } catch (const Error& error) {
      std::string text = error.what();
      const std::string prefix = folder_.string() + "/";
      for (std::size_t at = text.find(prefix); at != std::string::npos; at = text.find(prefix)) {
        text.erase(at, prefix.size());
      }
      return text;
    }
    return "no error";
  }

  [[nodiscard]] std::string id(const std::string& yaml,
                               const std::vector<std::string>& overrides = {}) const {
    return hex(plan(yaml, overrides).trials().front().trial_id);
  }

  std::filesystem::path folder_;
  DataInspector* inspector_ = nullptr;
};

// How many trials of a plan are in each state: planned, duplicate, excluded, impossible.
inline std::vector<int> states(const Plan& plan) {
  std::vector<int> counts(4);
  for (const PlannedTrial& trial : plan.trials()) ++counts[static_cast<std::size_t>(trial.state)];
  return counts;
}

}  // namespace espalier::testing_support
