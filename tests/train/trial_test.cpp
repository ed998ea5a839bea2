#include "train/trial.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>
#include <vector>

#include "plugins/plugin_support.hpp"
#include "train/machine.hpp"
#include "train/plugin_trial.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing_support::error_of;
using testing_support::expect_same;

class Trials : public testing_support::PluginTrial {
 protected:
  Trials() {
    config_ = {{"dataset", {{"use", "flora"}, {"classes", 4}, {"per_class", 12}, {"size", 32}}},
               {"captioner", {{"use", "attributes"}}},
               {"encoder", {{"use", "classical"}, {"size", 32}, {"text_width", 128}}},
               {"graph", {{"use", "knn"}, {"k", 3}}},
               {"gnn", {{"use", "ga_net"}, {"layer", "gcn"}, {"bottleneck", 8}}},
               {"peft", {{"use", "none"}}},
               {"protocol", {{"shots", 4}, {"val_shots", 2}}},
               {"train", {{"epochs", 6}, {"lr", 0.02}}},
               {"seed", 1}};
  }

  std::optional<TrialResult> run(const std::string& name = "trial") {
    fs::create_directories(folder_ / name);
    TrialRequest request;
    request.trial_id = name;
    request.combo_id = "combo";
    request.config = testing_support::resolved(config_, loader_);
    request.stages = {{"image_features", key_ + "i", "{}"},
                      {"captions", key_ + "c", "{}"},
                      {"text_features", key_ + "t", "{}"}};
    request.folder = folder_ / name;
    request.cache = folder_ / "cache";
    request.cache_limit = cache_limit_;
    return run_trial(request, hooks());
  }

  Json config_;
  std::string key_ = "key-";
  std::int64_t cache_limit_ = unlimited;
};

TEST_F(Trials, LeaveACompleteResult) {
  const auto result = run();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->trial_id, "trial");
  EXPECT_EQ(result->combo_id, "combo");
  EXPECT_EQ(result->class_names.size(), 4U);
  for (const double value : {result->val_top1, result->test_top1, result->test_top5,
                             result->test_macro_accuracy, result->test_macro_f1, result->test_loss,
                             result->test_ece, result->train_seconds, result->total_seconds}) {
    EXPECT_TRUE(std::isfinite(value));
  }
  EXPECT_EQ(result->test_top5, 1.0) << "of four classes";
  EXPECT_EQ(result->epochs, 6);
  EXPECT_GT(result->trainable_parameters, 0);
  EXPECT_GT(result->peak_rss_bytes, 1 << 20);
  EXPECT_EQ(result->metrics.size(), 14U);
  EXPECT_EQ(result->training.ids.size(), 16U);
  EXPECT_EQ(std::set<std::string>(result->training.ids.begin(), result->training.ids.end()).size(),
            16U);
  EXPECT_THAT(result->training.labels, testing::Contains(3).Times(4));
  EXPECT_EQ(result->predictions.at(0).split, "val");
  EXPECT_EQ(result->predictions.at(1).split, "test");
  EXPECT_EQ(result->graph.at("nodes"), 16) << "the training nodes alone";
  EXPECT_EQ(result->graph.at("similarity_histogram").size(), 64U);
  EXPECT_GE(result->graph.at("near_duplicates_test").get<int>(), 0);
  EXPECT_EQ(result->environment.at("plugins").at("dataset/flora"), 1);
  EXPECT_EQ(result->environment.at("blas_kernels").get<std::string>(), openblas_core());
  EXPECT_EQ(rows_.size(), 14U);
  EXPECT_FALSE(fs::exists(folder_ / "trial" / "checkpoint.safetensors"));
}

TEST_F(Trials, ChooseTheThresholdThatIsBestOnTheirValidationImages) {
  const auto with_tau = [&](double tau) {
    config_["graph"] = {{"use", "threshold"}, {"tau", tau}};
    return run("tau-" + std::to_string(tau));
  };
  const std::vector<double> taus = {0.9, 0.5, 0.995};
  std::vector<double> top1;
  for (const double tau : taus) top1.push_back(with_tau(tau)->val_top1);
  const auto best = std::max_element(top1.begin(), top1.end());
  ASSERT_LT(*std::min_element(top1.begin(), top1.end()), *best) << "a choice that matters";
  const auto expected = with_tau(taus[static_cast<std::size_t>(best - top1.begin())]);
  config_["graph"] = {{"use", "threshold"}, {"tau_from", "validation"}, {"taus", taus}};
  rows_.clear();
  const auto chosen = run();
  ASSERT_TRUE(chosen);
  expect_same(*chosen, *expected);
  EXPECT_EQ(chosen->graph.at("tau"), expected->graph.at("tau"));
  EXPECT_THAT(rows_, testing::IsEmpty()) << "the trainings are not told of, it goes on from one";
  ASSERT_EQ(chosen->candidates.size(), taus.size());
  for (std::size_t i = 0; i < taus.size(); ++i) {
    EXPECT_EQ(chosen->candidates[i].settings, (Json{{"graph.tau", taus[i]}}));
    EXPECT_EQ(chosen->candidates[i].val_top1, top1[i]);
  }
}

TEST_F(Trials, DoNotChooseAThresholdWithoutValidationImages) {
  config_["graph"] = {{"use", "threshold"}, {"tau_from", "validation"}};
  config_["protocol"] = {{"shots", 4}, {"val_fraction", 0.0}};
  EXPECT_THAT(error_of([&] { (void)run(); }), HasSubstr("val_shots"));
}

TEST_F(Trials, SayHowGoodTheirCaptionsAre) {
  const auto without = run("a");
  EXPECT_TRUE(std::isnan(without->caption_score) && std::isnan(without->caption_leak_rate));
  config_["nodes"] = {{"fuse", "concat"}};
  const auto classical = run("b");
  EXPECT_TRUE(std::isnan(classical->caption_score)) << "colours and words share no space";
  EXPECT_EQ(classical->caption_leak_rate, 0);
  EXPECT_EQ(classical->caption_flagged, 0);
  config_["encoder"] = {{"use", "clip"}, {"weights", "builtin:flora-clip"}};
  key_ = "clip-";
  const auto right = run("c");
  EXPECT_GT(right->caption_score, 0);
  config_["captioner"] = {{"use", "noisy"}, {"of", "attributes"}, {"kind", "shuffle"}, {"rate", 1}};
  key_ = "shuffled-";
  EXPECT_LT(run("d")->caption_score, right->caption_score);
  config_["captioner"]["kind"] = "name";
  key_ = "named-";
  EXPECT_EQ(run("e")->caption_leak_rate, 1);
  config_["captioner"]["kind"] = "generic";
  key_ = "generic-";
  EXPECT_EQ(run("f")->caption_flagged, 1);
}

TEST_F(Trials, TheSameSeedGivesTheSameBitsFromTheCacheAndWithoutIt) {
  const auto first = run("a");
  const auto cached = run("b");
  EXPECT_THAT(stages_, testing::Contains("image_features").Times(1));
  key_ = "other-";
  const auto fresh = run("c");
  EXPECT_THAT(stages_, testing::Contains("image_features").Times(2));
  expect_same(*first, *cached);
  expect_same(*first, *fresh);
  config_["seed"] = 2;
  EXPECT_NE(run("d")->test_loss, first->test_loss);
}

TEST_F(Trials, ACacheWithoutRoomCostsTimeAlone) {
  config_["nodes"] = {{"fuse", "concat"}};
  const auto stored = run("a");
  key_ = "other-";
  cache_limit_ = 0;
  stages_.clear();
  const auto first = run("b");
  const auto second = run("c");
  EXPECT_THAT(stages_, testing::Contains("image_features").Times(2));
  EXPECT_FALSE(fs::exists(folder_ / "cache" / "image_features" / "other-i"));
  const auto unstored = std::count_if(warnings_.begin(), warnings_.end(), [](const auto& text) {
    return text.find("are not stored") != std::string::npos;
  });
  EXPECT_EQ(unstored, 6) << "one a stage and trial";
  expect_same(*stored, *first);
  expect_same(*stored, *second);
}

TEST_F(Trials, AnotherDrawComputesOnlyWhatIsMissing) {
  config_["dataset"]["per_class"] = 40;
  ASSERT_TRUE(run("a"));
  const auto parts = [&] {
    return std::distance(fs::directory_iterator(folder_ / "cache" / "image_features" / "key-i"),
                         fs::directory_iterator());
  };
  EXPECT_EQ(parts(), 3) << "one part, the lock and about.json";
  config_["seed"] = 2;
  ASSERT_TRUE(run("b"));
  EXPECT_EQ(parts(), 4) << "the test rows are shared";
}

TEST_F(Trials, StopAndGoOnWithTheSameBits) {
  const auto whole = run("whole");
  for (const std::int64_t epoch : {0, 3}) {
    const std::string name = "stopped" + std::to_string(epoch);
    rows_.clear();
    stop_after_ = epoch;
    EXPECT_FALSE(run(name));
    EXPECT_TRUE(fs::exists(folder_ / name / "checkpoint.safetensors"));
    stop_ = false;
    stop_after_ = -1;
    const auto resumed = run(name);
    ASSERT_TRUE(resumed);
    expect_same(*whole, *resumed);
    EXPECT_EQ(rows_.size(), 14U) << "each evaluation is reported once";
    EXPECT_FALSE(fs::exists(folder_ / name / "checkpoint.safetensors"));
  }
}

TEST_F(Trials, RunInEveryProtocolFusionHeadAndLayer) {
  for (const char* protocol : {"none", "inductive_attach", "inductive_batch", "transductive"}) {
    config_["protocol"]["graph"] = protocol;
    for (const char* fuse : {"image", "text", "concat", "bimodal"}) {
      config_["nodes"]["fuse"] = fuse;
      const auto result = run(std::string(protocol) + fuse);
      ASSERT_TRUE(result);
      EXPECT_TRUE(std::isfinite(result->test_loss)) << protocol << fuse;
    }
  }
  config_["head"]["use"] = "cosine";
  for (const char* gnn : {"mlp", "gcn"}) {
    config_["gnn"] = {{"use", gnn}};
    EXPECT_TRUE(run(gnn));
  }
}

TEST_F(Trials, OfTheAdapterBeginAsTheHeadAlone) {
  config_["train"]["epochs"] = 0;
  const auto adapted = run("a");
  config_["gnn"] = {{"use", "mlp"}, {"layers", 0}};
  const auto bare = run("b");
  EXPECT_EQ(adapted->test_loss, bare->test_loss);
  EXPECT_EQ(adapted->predictions[1].logits, bare->predictions[1].logits);
}

TEST_F(Trials, CanDoWithoutValidationImages) {
  config_["protocol"]["val_fraction"] = 0;
  const auto result = run();
  ASSERT_TRUE(result);
  EXPECT_EQ(result->best_epoch, 6) << "the last";
  EXPECT_TRUE(std::isnan(result->val_top1));
  EXPECT_TRUE(result->predictions.at(0).ids.empty());
  EXPECT_TRUE(std::isfinite(result->test_loss));
}

TEST_F(Trials, SayThatWhatTheyTestIsUntrained) {
  config_["train"] = {{"epochs", 3}, {"lr", 1e-12}};
  EXPECT_EQ(run()->best_epoch, 0);
  EXPECT_THAT(warnings_, testing::Contains(HasSubstr("untrained")));
}

TEST_F(Trials, TestNodesEnterTheGraphOfTheTransductiveProtocolAlone) {
  const std::size_t nodes = 4 * 12;
  config_["protocol"] = {{"shots", 0}, {"val_shots", 0}, {"graph", "transductive"}};
  EXPECT_EQ(run("a")->graph.at("nodes"), nodes);
  config_["protocol"]["graph"] = "inductive_attach";
  const auto attached = run("b");
  EXPECT_EQ(attached->graph.at("nodes").get<std::size_t>() + attached->predictions[0].ids.size() +
                attached->predictions[1].ids.size(),
            nodes);
}

TEST_F(Trials, ThatDivergeFailWithTheReason) {
  config_["train"] = {{"epochs", 30}, {"lr", 100.0}, {"warmup", 0}, {"weight_decay", 10.0}};
  EXPECT_THAT(error_of([&] { (void)run(); }), HasSubstr("loss is not finite"));
}

TEST_F(Trials, AStopBeforeTrainingLosesNothing) {
  stop_ = true;
  EXPECT_FALSE(run());
  stop_ = false;
  EXPECT_TRUE(run());
}

}  // namespace
}  // namespace espalier
