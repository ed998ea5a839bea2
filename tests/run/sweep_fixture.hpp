// A folder of its own for every test, and sweeps run by the fake worker.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include "run/scheduler.hpp"
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace espalier {

class FolderTest : public testing::Test {
 protected:
  FolderTest() {
    std::string name = (std::filesystem::temp_directory_path() / "espalier-XXXXXX").string();
    folder_ = ::mkdtemp(name.data());
  }
  ~FolderTest() override { std::filesystem::remove_all(folder_); }

  static std::string contents(const std::filesystem::path& file) {
    std::ifstream in(file, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  static void write(const std::filesystem::path& file, const std::string& bytes) {
    std::ofstream(file, std::ios::binary) << bytes;
  }

  std::filesystem::path folder_;
};

// Remembers what it was told.
struct Witness : SweepObserver {
  void started(std::size_t slot, std::size_t trial) override {
    order.push_back(trial);
    slots = std::max(slots, slot + 1);
  }
  void stage(std::size_t, std::string_view name) override { stages.emplace_back(name); }
  void progress(std::size_t, std::string_view stage, std::size_t done, std::size_t all) override {
    progressed.push_back(std::string(stage) + " " + std::to_string(done) + "/" +
                         std::to_string(all));
  }
  void warning(const std::string& text) override { warnings.push_back(text); }
  void epoch(std::size_t, std::int64_t, const std::string& split, double) override {
    ++epochs;
    splits.insert(split);
  }
  void ended(std::size_t, std::size_t trial, TrialOutcome outcome,
             const std::string& error) override {
    outcomes[trial] = outcome;
    errors[trial] = error;
    if (after) after(trial);
  }
  void stopping(int) override {}
  void overdue(std::size_t workers) override { killed = workers; }
  void tick() override {
    if (on_tick) on_tick();
  }

  std::vector<std::size_t> order;
  std::vector<std::string> stages;
  std::vector<std::string> progressed;
  std::vector<std::string> warnings;
  std::size_t epochs = 0;
  std::set<std::string> splits;  // of epochs
  std::size_t slots = 0;
  std::size_t killed = 0;
  std::map<std::size_t, TrialOutcome> outcomes;
  std::map<std::size_t, std::string> errors;
  std::function<void(std::size_t trial)> after;
  std::function<void()> on_tick;
};

inline std::string fake_worker() { return ESPALIER_BINARY_DIR "/bin/fake_worker"; }

}  // namespace espalier
