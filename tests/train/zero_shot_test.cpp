// With the CLIP that comes with Espalier, on flowers of which it has seen none.
#include "train/trial.hpp"

#include <gmock/gmock.h>

#include <cmath>
#include <optional>

#include "train/plugin_trial.hpp"

namespace espalier {
namespace {

class ZeroShot : public testing_support::PluginTrial {
 protected:
  ZeroShot() {
    config_ = {{"dataset", {{"use", "flora"}, {"classes", 12}, {"per_class", 24}}},
               {"captioner", {{"use", "none"}}},
               {"encoder", {{"use", "clip"}, {"weights", "builtin:flora-clip"}}},
               {"graph", {{"use", "none"}}},
               {"gnn", {{"use", "mlp"}}},
               {"peft", {{"use", "none"}}},
               {"head", {{"use", "zero_shot"}}},
               {"protocol", {{"shots", 4}, {"val_shots", 4}}},
               {"seed", 1}};
  }

  std::optional<TrialResult> run(const std::string& key = "key-") {
    stages_.clear();
    TrialRequest request;
    request.trial_id = "trial";
    request.combo_id = "combo";
    request.config = testing_support::resolved(config_, loader_);
    request.stages = {{"image_features", key + "i", "{}"}, {"class_features", key + "c", "{}"}};
    request.folder = folder_ / "trial";
    request.cache = folder_ / "cache";
    return run_trial(request, hooks());
  }

  Json config_;
};

TEST_F(ZeroShot, TellsFlowersApartThatItNeverSawAndTrainsNothing) {
  const auto result = run();
  ASSERT_TRUE(result);
  EXPECT_GT(result->test_top1, 0.45) << "chance is 0.083";
  EXPECT_GT(result->val_top1, 0.45);
  EXPECT_TRUE(std::isfinite(result->test_ece));
  EXPECT_EQ(result->trainable_parameters, 0);
  EXPECT_EQ(result->total_parameters, 1'259'105);
  EXPECT_EQ(result->epochs, 0);
  ASSERT_EQ(result->metrics.size(), 1U);
  EXPECT_EQ(result->metrics[0].split, "val");
  EXPECT_EQ(result->metrics[0].top1, result->val_top1);
  const auto& logits = result->predictions.at(1).logits;
  ASSERT_EQ(logits.size(), result->predictions[1].ids.size() * 12);
  // Cosines times exp(3.5977), which its folder says.
  for (const float logit : logits) EXPECT_LE(std::abs(logit), 36.52F);
}

TEST_F(ZeroShot, TakesFeaturesAndTheScaleFromTheCache) {
  const auto first = run();
  EXPECT_THAT(stages_,
              testing::ElementsAre("image_features", "class_features", "graph", "train", "test"));
  const auto cached = run();
  EXPECT_THAT(stages_, testing::ElementsAre("graph", "train", "test"));
  EXPECT_EQ(first->predictions[1].logits, cached->predictions[1].logits);
  EXPECT_EQ(first->total_parameters, cached->total_parameters);
}

TEST_F(ZeroShot, ReadsThePromptsThatItIsTold) {
  const auto described = run();
  config_["head"]["prompts"] = "simple";  // names alone, which are made up
  const auto named = run("other-");
  EXPECT_LT(named->test_top1, described->test_top1 - 0.2);
}

// The head that it is made of, with something to train before it.
TEST_F(ZeroShot, IsWhereAnAdapterBeforePromptsBegins) {
  const auto zero_shot = run();
  config_["head"]["use"] = "prompts";
  config_["nodes"] = {{"fuse", "image"}};
  config_["gnn"] = {{"use", "ga_net"}, {"layer", {{"use", "mlp"}, {"layers", 1}}}};
  config_["train"] = {{"epochs", 15}, {"lr", 0.01}};
  const auto trained = run();
  ASSERT_TRUE(trained);
  EXPECT_EQ(trained->metrics.at(1).split, "val");
  EXPECT_NEAR(trained->metrics[1].loss, zero_shot->metrics[0].loss, 1e-4);
  EXPECT_LT(trained->metrics.end()[-2].loss, 0.8 * trained->metrics[0].loss);
  EXPECT_GE(trained->val_top1, zero_shot->val_top1);
  EXPECT_GT(trained->trainable_parameters, 0);
}

TEST_F(ZeroShot, StopsBeforeItComputes) {
  stop_ = true;
  EXPECT_FALSE(run());
}

}  // namespace
}  // namespace espalier
