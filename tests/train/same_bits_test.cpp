// The same trial gives the same bits, whatever ran before it, beside it, and what the cache held.
// With the CLIP that comes with Espalier, whose products a BLAS rounds by their shape.
#include <gmock/gmock.h>
#include <spdlog/spdlog.h>

#include "train/trial.hpp"
#include <bit>
#include <cstdint>
#include <filesystem>
#include <future>

#include "train/plugin_trial.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;

// Everything of a result that is no time, memory or machine, as bits: a number that is missing
// equals itself.
std::vector<std::uint32_t> bits(const TrialResult& result) {
  std::vector<float> all{static_cast<float>(result.test_top1), static_cast<float>(result.val_top1),
                         static_cast<float>(result.test_loss),
                         static_cast<float>(result.best_epoch)};
  for (const EpochMetrics& row : result.metrics) all.push_back(static_cast<float>(row.loss));
  for (const Predictions& split : result.predictions) {
    all.insert(all.end(), split.logits.begin(), split.logits.end());
  }
  std::vector<std::uint32_t> patterns;
  for (const float value : all) patterns.push_back(std::bit_cast<std::uint32_t>(value));
  return patterns;
}

class SameBits : public testing_support::PluginTrial {
 protected:
  // Trials of other seeds draw other training samples of the same flowers.
  [[nodiscard]] std::vector<std::uint32_t> run(std::int64_t seed, const std::string& cache,
                                               std::int64_t limit = unlimited,
                                               ComponentPool* pool = nullptr) {
    const Json config = {{"dataset", {{"use", "flora"}, {"classes", 4}, {"per_class", 12}}},
                         {"captioner", {{"use", "attributes"}}},
                         {"encoder", {{"use", "clip"}, {"weights", "builtin:flora-clip"}}},
                         {"graph", {{"use", "knn"}, {"k", 3}}},
                         {"gnn", {{"use", "ga_net"}, {"layer", "gcn"}, {"bottleneck", 8}}},
                         {"nodes", {{"fuse", "bimodal"}}},
                         {"peft", {{"use", "none"}}},
                         {"protocol", {{"shots", 2}, {"val_shots", 1}}},
                         {"train", {{"epochs", 3}}},
                         {"seed", seed}};
    TrialRequest request;
    request.trial_id = "trial-" + std::to_string(seed);
    request.combo_id = "combo";
    request.config = testing_support::resolved(config, loader_);
    const std::string captions = "c" + std::to_string(seed);  // whose wording the seed draws
    request.stages = {
        {"image_features", "i", "{}"},
        {"captions", captions, "{}"},
        {"text_features", "t" + std::to_string(seed), Json{{"captions", captions}}.dump()}};
    request.folder = folder_ / cache / request.trial_id;
    request.cache = folder_ / cache / "cache";
    request.cache_limit = limit;
    fs::create_directories(request.folder);
    TrialHooks told = hooks();
    told.pool = pool;
    told.loaders = 2;
    const auto result = run_trial(request, told);
    return result ? bits(*result) : std::vector<std::uint32_t>{};
  }
};

TEST_F(SameBits, WhateverTheOrderTheCacheAndWhatAWorkerKeeps) {
  const std::vector<std::uint32_t> one = run(1, "one"), two = run(2, "two");
  ASSERT_GT(one.size(), 40U);
  EXPECT_NE(one, two);
  EXPECT_EQ(run(1, "forwards"), one);
  EXPECT_EQ(run(2, "forwards"), two) << "with rows that the first left";
  EXPECT_EQ(run(2, "backwards"), two);
  EXPECT_EQ(run(1, "backwards"), one);
  EXPECT_EQ(run(1, "limited", 0), one);
  EXPECT_FALSE(fs::exists(folder_ / "limited" / "cache" / "image_features" / "i"));
  fs::remove_all(folder_ / "one" / "cache");
  EXPECT_EQ(run(1, "one"), one) << "after the cache was deleted";
  ComponentPool pool(loader_, "cpu");
  EXPECT_EQ(run(2, "kept", 0, &pool), two);
  EXPECT_EQ(run(1, "kept", 0, &pool), one) << "with the dataset and the encoder of the first";
}

TEST_F(SameBits, WhereFourMakeTheStagesTogether) {
  const std::vector<std::uint32_t> one = run(1, "one"), two = run(2, "two");
  std::vector<std::future<std::vector<std::uint32_t>>> runs;
  for (const std::int64_t seed : {1, 2, 3, 4}) {
    runs.push_back(std::async(std::launch::async, [this, seed] { return run(seed, "together"); }));
  }
  EXPECT_EQ(runs[0].get(), one);
  EXPECT_EQ(runs[1].get(), two);
}

}  // namespace
}  // namespace espalier
