// Trials that choose by their validation samples.
#include <gmock/gmock.h>

#include "results/result_file.hpp"
#include "results/trial_record.hpp"
#include "train/trial.hpp"
#include <algorithm>
#include <cmath>
#include <espalier/core/error.hpp>
#include <fstream>
#include <string>
#include <vector>

#include "train/plugin_trial.hpp"

namespace espalier {
namespace {

using testing::HasSubstr;

class TunedTrial : public testing_support::PluginTrial {
 protected:
  TrialRequest request(const Json& more = Json::object(), const std::string& name = "trial") {
    Json config{{"dataset", {{"use", "flora"}, {"classes", 4}, {"per_class", 20}, {"size", 32}}},
                {"captioner", {{"use", "none"}}},
                {"encoder", {{"use", "clip"}, {"weights", "builtin:flora-clip"}}},
                {"graph", {{"use", "none"}}},
                {"gnn", {{"use", "mlp"}, {"layers", 0}}},
                {"peft", {{"use", "lora"}, {"towers", "image"}, {"top_layers", 1}}},
                {"protocol", {{"shots", 4}, {"val_shots", 4}}},
                {"head", {{"use", "linear"}}},
                {"train", {{"epochs", 4}, {"select", "last"}}},
                {"seed", 1}};
    config.update(more, true);
    TrialRequest made;
    made.trial_id = "trial";
    made.combo_id = "combo";
    made.config = testing_support::resolved(config, loader_);
    for (const char* stage : {"image_features", "image_activations", "class_features"}) {
      made.stages.push_back({stage, "key", "{}"});
    }
    made.folder = folder_ / name;
    made.cache = folder_ / "cache";
    std::filesystem::create_directories(made.folder);
    return made;
  }

  TrialResult run(const Json& more, const std::string& name = "trial") {
    return run_trial(request(more, name), hooks()).value();
  }
  static Json tune(const std::vector<double>& rates) { return {{"tune", {{"train.lr", rates}}}}; }
};

// One that learns, between two that do not. One that is far too large would be no better guide: it
// may happen upon a good state.
const std::vector<double> planted{1e-9, 3e-2, 1e-8};

// Ten species, since four of them look alike to this encoder, so that no rate is right.
TEST_F(TunedTrial, TakesTheRateThatValidationLikesBest) {
  const Json longer = {{"dataset", {{"classes", 10}, {"per_class", 16}}},
                       {"train", {{"epochs", 20}}}};
  std::vector<TrialResult> alone;
  for (const double lr : planted) {
    Json more = longer;
    more["train"]["lr"] = lr;
    alone.push_back(run(more, "alone" + std::to_string(alone.size())));
  }
  ASSERT_GT(alone[1].val_top1, alone[0].val_top1 + 0.1) << "the planted rate";
  ASSERT_GT(alone[1].val_top1, alone[2].val_top1 + 0.1);
  Json more = tune(planted);
  more.update(longer);
  const TrialResult tuned = run(more);
  ASSERT_EQ(tuned.candidates.size(), 3u);
  for (std::size_t i = 0; i < planted.size(); ++i) {
    EXPECT_DOUBLE_EQ(tuned.candidates[i].val_top1, alone[i].val_top1) << planted[i];
    EXPECT_EQ(tuned.candidates[i].chosen, i == 1) << planted[i];
  }
  EXPECT_EQ(tuned.tuned, "train.lr=0.03");
  const TrialResult& right = alone[1];
  testing_support::expect_same(tuned, right);
  EXPECT_EQ(tuned.test_top1, right.test_top1);
  EXPECT_EQ(tuned.optimizer_bytes, right.optimizer_bytes);
  EXPECT_EQ(tuned.forward_flops, right.forward_flops);
  EXPECT_EQ(tuned.prefix_flops, right.prefix_flops);
  EXPECT_EQ(tuned.trainable_parameters, right.trainable_parameters);
  EXPECT_GT(tuned.total_seconds, tuned.train_seconds);
}

// The test samples of a candidate are never asked, be it chosen or not.
TEST_F(TunedTrial, LooksAtTheTestSamplesOnce) {
  (void)run(tune(planted));
  EXPECT_EQ(std::count(stages_.begin(), stages_.end(), "test"), 1);
  EXPECT_EQ(std::count(stages_.begin(), stages_.end(), "tune"), 3);
}

TEST_F(TunedTrial, OfEqualCandidatesTheEarlierIsTaken) {
  EXPECT_EQ(run(tune({1e-9, 1e-10})).tuned, "train.lr=1e-9");
}

TEST_F(TunedTrial, ACandidateThatFailsIsNone) {
  // Decoupled decay multiplies weights by 1 - 1000 in each update of the first.
  const TrialResult result = run(
      {{"tune", {{"train.lr", {100.0, 1e-2}}}}, {"train", {{"weight_decay", 10}, {"epochs", 30}}}});
  EXPECT_EQ(result.tuned, "train.lr=0.01");
  EXPECT_THAT(result.candidates[0].failure, HasSubstr("not finite"));
  EXPECT_TRUE(std::isnan(result.candidates[0].val_top1));
}

TEST_F(TunedTrial, WithoutValidationSamplesIsRefused) {
  try {
    (void)run({{"tune", {{"train.lr", {0.1, 0.2}}}},
               {"protocol", {{"val_fraction", 0.0}, {"shots", 4}, {"val_shots", 0}}}});
    FAIL() << "nothing was refused";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("a choice by validation photos has none of them"));
  }
}

TEST_F(TunedTrial, ZeroShotHasNothingToChoose) {
  const TrialResult result =
      run({{"tune", {{"train.lr", {0.1, 0.2}}}}, {"head", {{"use", "zero_shot"}}}});
  EXPECT_TRUE(result.candidates.empty());
  EXPECT_TRUE(result.tuned.empty());
}

// Stopped after every update that any candidate makes.
TEST_F(TunedTrial, GoesOnWhereItWasStopped) {
  const TrialResult whole = run(tune(planted));
  std::optional<TrialResult> result;
  int runs = 0;
  for (; !result && runs < 40; ++runs) {
    stop_ = false;
    TrialHooks stopping = hooks();
    int begun = 0;
    stopping.stage = [&](std::string_view stage) {
      if (stage == "train" && ++begun == 1) stop_ = true;
    };
    result = run_trial(request(tune(planted), "stopped"), stopping);
  }
  ASSERT_TRUE(result);
  EXPECT_GT(runs, 10) << "of three candidates with four epochs each";
  testing_support::expect_same(*result, whole);
  EXPECT_EQ(result->tuned, whole.tuned);
  EXPECT_FALSE(std::filesystem::exists(folder_ / "stopped" / "tune"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "stopped" / "tune.json"));
}

TEST_F(TunedTrial, ANoteThatIsDamagedIsMadeAnew) {
  const TrialRequest asked = request(tune({1e-9, 3e-2}));
  const TrialResult whole = run_trial(asked, hooks()).value();
  for (const char* note : {"{", "[]", R"({"trial_id": "trial", "outcomes": [{"top1": "x"}]})",
                           R"({"trial_id": "other", "outcomes": [{"top1": 1, "failure": ""}]})"}) {
    std::ofstream(asked.folder / "tune.json") << note;
    EXPECT_EQ(run_trial(asked, hooks()).value().tuned, whole.tuned) << note;
  }
}

TEST_F(TunedTrial, WhatWasChosenIsInTheResult) {
  const TrialResult result = run(tune(planted));
  const auto file = folder_ / "trial" / "result.h5";
  const ResultExtent extent = write_result(file, result);
  const TrialResult again = read_result(file);
  EXPECT_EQ(again.tuned, result.tuned);
  ASSERT_EQ(again.candidates.size(), std::size(planted));
  for (std::size_t i = 0; i < std::size(planted); ++i) {
    EXPECT_EQ(again.candidates[i].settings, result.candidates[i].settings);
    EXPECT_EQ(again.candidates[i].val_top1, result.candidates[i].val_top1);
    EXPECT_EQ(again.candidates[i].chosen, result.candidates[i].chosen);
  }
  EXPECT_FALSE(result.tuned.empty());
  EXPECT_EQ(complete_record(result, extent).at("tuned"), result.tuned);
}

}  // namespace
}  // namespace espalier
