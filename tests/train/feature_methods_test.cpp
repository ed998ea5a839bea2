// Trials of methods that work on frozen features and class vectors.
#include <gmock/gmock.h>

#include "train/trial.hpp"
#include <algorithm>
#include <optional>
#include <ranges>
#include <string>

#include "plugins/plugin_support.hpp"
#include "train/plugin_trial.hpp"

namespace espalier {
namespace {

using testing::HasSubstr;
using testing_support::error_of;
using testing_support::expect_same;

class FeatureMethods : public testing_support::PluginTrial {
 protected:
  FeatureMethods() {
    config_ = {{"dataset", {{"use", "flora"}, {"classes", 5}, {"per_class", 20}, {"size", 32}}},
               {"captioner", {{"use", "none"}}},
               {"encoder", {{"use", "clip"}, {"weights", "builtin:flora-clip"}}},
               {"graph", {{"use", "none"}}},
               {"gnn", {{"use", "mlp"}, {"layers", 0}}},
               {"peft", {{"use", "none"}}},
               {"protocol", {{"shots", 4}, {"val_shots", 3}}},
               {"head", {{"use", "prompts"}}},
               {"train", {{"epochs", 4}, {"lr", 0.003}, {"select", "last"}}},
               {"seed", 1}};
  }

  TrialResult run() {
    TrialRequest request;
    request.trial_id = "trial";
    request.combo_id = "combo";
    request.config = testing_support::resolved(config_, loader_);
    for (const char* name : {"image_features", "image_activations", "class_features", "captions",
                             "class_activations", "text_features", "text_activations"}) {
      request.stages.push_back({name, "key", "{}"});
    }
    request.folder = folder_ / "trial";
    request.cache = folder_ / "cache";
    std::filesystem::create_directories(request.folder);
    return run_trial(request, hooks()).value();
  }
  TrialResult run(const Json& peft) {
    config_["peft"] = peft;
    return run();
  }

  Json config_;
};

TEST_F(FeatureMethods, BeginAtZeroShotWhereTheySaySoAndLearnFromThere) {
  const TrialResult zero_shot = run();
  for (const char* use : {"taskres", "clap", "cross_modal"}) {
    const TrialResult result = run({{"use", use}});
    EXPECT_NEAR(result.metrics[0].loss, zero_shot.metrics[0].loss, 1e-5) << use;
    EXPECT_EQ(result.metrics[1].top1, zero_shot.metrics[1].top1) << use;
    EXPECT_LT((result.metrics.end() - 2)->loss, result.metrics[0].loss) << use;
    EXPECT_EQ(result.trainable_parameters, 5 * 96) << use << ": a vector a class";
  }
}

TEST_F(FeatureMethods, AreDoneAtOnceWhereNothingIsTrained) {
  for (const char* use : {"gda", "tip_adapter", "linear_probe"}) {
    const TrialResult result = run({{"use", use}});
    EXPECT_EQ(result.trainable_parameters, 0) << use;
    EXPECT_EQ(result.epochs, 0) << use;
    EXPECT_GT(result.test_top1, 0.3) << use << ": chance is 0.2";
    EXPECT_FALSE(result.method.empty()) << use << " says what it searched";
  }
}

TEST_F(FeatureMethods, SaySearchedValuesAndTheValidationAccuracyThatTheyHave) {
  const Json searched = {{"use", "tip_adapter"}};
  const Json fixed = {{"use", "tip_adapter"}, {"search_alpha", 0}, {"search_beta", 0}};
  const TrialResult result = run(searched), before = run(fixed);
  EXPECT_EQ(before.method, (Json{{"alpha", 1.17}, {"beta", 1.0}}));
  EXPECT_GE(result.val_top1, before.val_top1);
  EXPECT_EQ(before.val_top1, before.metrics.back().top1);
  const auto& val = result.predictions.at(0);
  ASSERT_EQ(val.split, "val");
  const auto right =
      std::ranges::count_if(std::views::iota(std::size_t{0}, val.labels.size()),
                            [&](std::size_t i) { return val.labels[i] == val.predicted[i]; });
  EXPECT_DOUBLE_EQ(result.val_top1,
                   static_cast<double>(right) / static_cast<double>(val.labels.size()));
}

TEST_F(FeatureMethods, WorkWithoutValidation) {
  config_["protocol"] = {{"shots", 4}, {"val_fraction", 0}};
  EXPECT_EQ(run({{"use", "gda"}}).method, (Json{{"alpha", 1.0}}));
  EXPECT_EQ(run({{"use", "linear_probe"}}).method, (Json{{"C", 0.316}}));
  EXPECT_EQ(run({{"use", "tip_adapter"}}).method, (Json{{"alpha", 1.17}, {"beta", 1.0}}));
}

TEST_F(FeatureMethods, LearnFromViewsOneBehindTheOther) {
  const TrialResult plain = run({{"use", "gda"}});
  config_["train"]["views"] = 3;
  const TrialResult viewed = run({{"use", "gda"}});
  EXPECT_NE(viewed.test_loss, plain.test_loss);
  config_["protocol"]["shots"] = 1;
  const TrialResult one = run({{"use", "gda"}});
  config_["peft"] = {{"use", "none"}};
  EXPECT_NE(one.test_loss, run().test_loss) << "views of one picture have a covariance";
}

// A network that begins as the identity stands before the cache, and both are trained.
TEST_F(FeatureMethods, StandBehindANetworkAndGoOnFromACheckpointWithTheSameBits) {
  config_["peft"] = {{"use", "tip_adapter"}, {"train_keys", true}};
  config_["gnn"] = {{"use", "ga_net"}, {"layer", "gcn"}, {"bottleneck", 8}};
  config_["graph"] = {{"use", "knn"}, {"k", 3}};
  const TrialResult whole = run();
  EXPECT_LT((whole.metrics.end() - 2)->loss, whole.metrics[0].loss);
  stop_after_ = 1;
  EXPECT_THROW((void)run(), std::bad_optional_access) << "stopped";
  stop_ = false, stop_after_ = -1;
  const TrialResult resumed = run();
  expect_same(whole, resumed);
  EXPECT_EQ(whole.method, resumed.method);
}

TEST_F(FeatureMethods, AdaptTheImageTowersFeatureBehindAnyHead) {
  config_["head"] = {{"use", "linear"}};
  const TrialResult result = run({{"use", "clip_adapter"}});
  EXPECT_EQ(result.trainable_parameters, 2 * 96 * 24 + 5 * 96 + 5);
  EXPECT_LT((result.metrics.end() - 2)->loss, result.metrics[0].loss);
}

TEST_F(FeatureMethods, SayWhereThereAreNoClassVectors) {
  config_["head"] = {{"use", "linear"}};
  EXPECT_THAT(error_of([&] {
                (void)run({{"use", "gda"}});
              }),
              testing::AllOf(HasSubstr("peft/gda"), HasSubstr("head.use=prompts")));
}

}  // namespace
}  // namespace espalier
