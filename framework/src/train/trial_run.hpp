// One trial while it runs: its data, its features, what is trained on them, what comes of it.
#pragma once

#include "results/trial_result.hpp"
#include "run/trial_request.hpp"
#include "train/adapted_encoder.hpp"
#include "train/environment.hpp"
#include "train/recipe.hpp"
#include "train/split.hpp"
#include "train/task_sequence.hpp"
#include "train/trial_features.hpp"
#include "train/trial_setting.hpp"
#include "train/unlabelled_dataset.hpp"
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <espalier/core/json.hpp>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace espalier {

using Clock = std::chrono::steady_clock;

[[nodiscard]] inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class TrialRun {
 public:
  TrialRun(const TrialRequest& request, const TrialHooks& hooks)
      : setting_(request, hooks), recipe_(setting_) {}

  std::optional<TrialResult> run();
  // Trains, and looks at the validation samples. Empty: stopped.
  std::optional<double> validation_top1();
  // What it leaves to them (experiment/tuning.hpp).
  [[nodiscard]] std::vector<Json> candidates() const;

 private:
  bool learn();
  void draw_data();
  bool make_features();
  [[nodiscard]] std::vector<std::size_t> samples() const;
  [[nodiscard]] std::vector<Look> looks() const;
  bool adapt_encoder();
  bool join_samples();
  [[nodiscard]] GraphSetting graph_setting() const;
  [[nodiscard]] bool starts_frozen() const;
  [[nodiscard]] NetworkParts network_parts() const;
  [[nodiscard]] Learner learner();
  void describe();
  void conclude_method();
  void judge_validation();
  void test();
  void test_new_classes();
  void save();
  TrialResult conclude();

  void time(const std::string& stage, double seconds, bool cached = false) {
    result_.timing.push_back({.stage = stage, .seconds = seconds, .cached = cached});
  }
  [[nodiscard]] std::vector<std::string> ids(const std::vector<std::size_t>& samples) const;
  // Of a list of all classes.
  template <class T>
  [[nodiscard]] std::vector<T> learnt(const std::vector<T>& all) const {
    return {all.begin(), all.begin() + std::min(split_.classes, std::ssize(all))};
  }

  Clock::time_point start_ = Clock::now();
  MemoryWatch memory_;
  TrialSetting setting_;
  GpuMemoryWatch gpu_memory_{setting_.device()};
  Recipe recipe_;
  UnlabelledDataset photos_;
  ClassTexts prompts_;  // of all classes, those that are not learnt among them
  // Of all classes as head.prompts has them, where the method has texts of its own and new classes
  // are asked for.
  ClassTexts zero_shot_prompts_;
  std::shared_ptr<const FeatureSource> zero_shot_;
  DataSplit split_;
  FeatureInputs inputs_;
  TrialFeatures frozen_;                       // as the encoder was loaded
  std::unique_ptr<SampleGraph> sample_graph_;  // null where no method asks for one
  std::optional<AdaptedEncoder> adapted_;
  Sources sources_;  // as the parameters make them
  std::shared_ptr<Fusion> fusion_;
  std::int64_t encoder_parameters_ = 0;
  Parameters parameters_;
  std::optional<Network> network_;
  std::optional<TaskSequence> tasks_;
  bool keeps_training_ = false;
  TrialResult result_;
};

}  // namespace espalier
