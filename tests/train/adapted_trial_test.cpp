// Trials that train inside the encoder.
#include <gmock/gmock.h>

#include "train/trial.hpp"
#include <espalier/core/file.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "plugins/plugin_support.hpp"
#include "train/plugin_trial.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing_support::error_of;
using testing_support::expect_same;

class AdaptedTrials : public testing_support::PluginTrial {
 protected:
  AdaptedTrials() {
    config_ = {{"dataset", {{"use", "flora"}, {"classes", 4}, {"per_class", 12}, {"size", 32}}},
               {"captioner", {{"use", "attributes"}}},
               {"encoder", {{"use", "clip"}, {"weights", "builtin:flora-clip"}}},
               {"graph", {{"use", "none"}}},
               {"gnn", {{"use", "mlp"}, {"layers", 0}}},
               {"peft", {{"use", "bitfit"}, {"top_layers", 1}}},
               {"protocol", {{"shots", 4}, {"val_shots", 2}}},
               {"head", {{"use", "cosine"}}},
               {"train", {{"epochs", 3}, {"lr", 0.003}, {"chunk", 5}}},
               {"seed", 1}};
  }

  std::optional<TrialResult> run(const std::string& cache = "cache") {
    const fs::path trial = folder_ / "trial";
    fs::create_directories(trial);
    TrialRequest request;
    request.trial_id = "trial";
    request.combo_id = "combo";
    request.config = testing_support::resolved(config_, loader_);
    for (const char* name :
         {"image_features", "image_activations", "class_features", "class_activations", "captions",
          "text_features", "text_activations"}) {
      request.stages.push_back({name, "key", "{}"});
    }
    request.folder = trial;
    request.cache = folder_ / cache;
    request.activation_limit = activation_limit_;
    return run_trial(request, hooks());
  }

  // The bytes of what the last trial trained.
  std::string adapter() const {
    return read_file(folder_ / "trial/adapter/adapter_model.safetensors") +
           read_file(folder_ / "trial/adapter/network.safetensors");
  }

  void give_graph_adapter() {
    config_["peft"] = {{"use", "ga_net"},
                       {"top_layers", 1},
                       {"bottleneck", 4},
                       {"layer", {{"use", "gcn"}, {"layers", 1}, {"dropout", 0.2}}}};
    config_["graph"] = {{"use", "knn"}, {"k", 3}};
    config_["train"]["select"] = "last";
  }

  // Stops before the first update and goes on, and again after the first epoch.
  void expect_that_it_goes_on_with_the_same_bits() {
    const auto whole = run();
    for (const std::int64_t epoch : {0, 1}) {
      stop_after_ = epoch;
      EXPECT_FALSE(run());
      stop_ = false, stop_after_ = -1;
      const auto resumed = run();
      ASSERT_TRUE(whole && resumed);
      expect_same(*whole, *resumed);
    }
  }

  Json config_;
  std::int64_t activation_limit_ = unlimited;
};

double first_loss(const TrialResult& result) { return result.metrics.front().loss; }
double last_loss(const TrialResult& result) { return (result.metrics.end() - 2)->loss; }

TEST_F(AdaptedTrials, TrainTheEncoderAndCountWhatTheyTrain) {
  const auto adapted = run();
  config_["peft"] = {{"use", "none"}};
  const auto frozen = run();
  ASSERT_TRUE(adapted && frozen);
  EXPECT_NEAR(first_loss(*adapted), first_loss(*frozen), 1e-4) << "nothing is changed at the start";
  EXPECT_LT(last_loss(*adapted), last_loss(*frozen)) << "a head alone learns less";
  EXPECT_GT(adapted->trainable_parameters, frozen->trainable_parameters);
  EXPECT_EQ(adapted->total_parameters, frozen->total_parameters)
      << "what is trained stands in the place of what was loaded";
}

// To the last bit what a trial without a method says, which the encoder with one says but for
// rounding.
TEST_F(AdaptedTrials, AreLookedAtThroughTheFrozenFeaturesWhereTheyChangeNothingAtTheirStart) {
  const auto at_start = [&](const Json& peft) {
    config_["peft"] = peft;
    const auto result = run();
    const EpochMetrics& row = result.value().metrics.at(1);
    EXPECT_EQ(row.split, "val");
    EXPECT_EQ(row.epoch, 0);
    return row.loss;
  };
  const Json lora = {{"use", "lora"}, {"towers", "image"}};
  const double frozen = at_start({{"use", "none"}});
  EXPECT_EQ(at_start(lora), frozen);
  EXPECT_NE(at_start({{"use", "vpt"}}), frozen);
  config_["train"]["activations"] = "float16";
  EXPECT_NE(at_start(lora), frozen);
}

TEST_F(AdaptedTrials, HaveTheSameBitsFromStoredAndFromComputedActivations) {
  const auto first = run();
  EXPECT_THAT(stages_, testing::Contains("image_activations"));
  EXPECT_TRUE(fs::exists(folder_ / "cache" / "image_activations" / "key.3")) << "of four layers";
  const auto again = run();
  activation_limit_ = 1000;
  const auto anew = run("other-cache");
  ASSERT_TRUE(first && again && anew);
  expect_same(*first, *again);
  expect_same(*first, *anew);
  EXPECT_THAT(warnings_, testing::Contains(HasSubstr("--activation-limit 1.0 kB")));
  EXPECT_FALSE(fs::exists(folder_ / "other-cache" / "image_activations" / "key.3"));
}

// Whole products of matrices are in what is stored, and again where it is computed in every epoch.
TEST_F(AdaptedTrials, TrainTheSameParametersFromStoredAndFromComputedActivations) {
  const std::string models = ESPALIER_SOURCE_DIR "/tests/data/encoders/";
  const Json encoders = {{{"use", "clip"}, {"weights", "builtin:flora-clip"}},
                         {{"use", "vit"}, {"weights", models + "vit-tiny"}}};
  const Json methods = {{{"use", "bitfit"}, {"top_layers", 1}},
                        {{"use", "lora"}, {"top_layers", 1}, {"r", 2}, {"lora_dropout", 0.2}}};
  config_["train"]["select"] = "last";
  int number = 0;
  for (const Json& encoder : encoders) {
    for (const Json& method : methods) {
      config_["encoder"] = encoder;
      config_["peft"] = method;
      const std::string cache = "cache" + std::to_string(++number);
      activation_limit_ = unlimited;
      ASSERT_TRUE(run(cache));
      const std::string stored = adapter();
      ASSERT_TRUE(run(cache)) << "from what is stored now";
      const std::string again = adapter();
      activation_limit_ = 1000;
      ASSERT_TRUE(run("other" + cache));
      EXPECT_EQ(stored, again) << encoder << method;
      EXPECT_EQ(stored, adapter()) << encoder << method;
    }
  }
}

// What an adapter's file holds is tested as it was when it was trained, whether it goes on or not.
TEST_F(AdaptedTrials, StartFromAnAdapterAndLeaveItFrozen) {
  config_["head"] = {{"use", "prompts"}};
  config_["peft"] = {{"use", "lora"}, {"top_layers", 1}};
  config_["train"]["select"] = "last";
  const auto trained = run();
  fs::rename(folder_ / "trial/adapter", folder_ / "start");
  ASSERT_TRUE(trained && trained->epochs == 3);
  for (const bool frozen : {true, false}) {
    config_["peft"] = {{"use", "hf"}, {"path", folder_ / "start"}, {"frozen", frozen}};
    config_["train"]["epochs"] = 0;
    const auto again = run();
    ASSERT_TRUE(again);
    // Float32 rounding, as frozen features are computed beside others.
    EXPECT_THAT(
        again->predictions.back().logits,
        ::testing::Pointwise(::testing::FloatNear(1e-3F), trained->predictions.back().logits))
        << frozen;
    EXPECT_EQ(again->trainable_parameters, frozen ? 0 : trained->trainable_parameters);
  }
}

TEST_F(AdaptedTrials, TrainBehindAFrozenAdapter) {
  config_["peft"] = {{"use", "lora"}, {"top_layers", 1}};
  config_["train"]["select"] = "last";
  ASSERT_TRUE(run());
  fs::rename(folder_ / "trial/adapter", folder_ / "start");
  config_["peft"] = {{"use", "hf"}, {"path", folder_ / "start"}, {"frozen", true}};
  const auto behind = run();
  ASSERT_TRUE(behind);
  EXPECT_LT(last_loss(*behind), first_loss(*behind)) << "the head learns";
  EXPECT_EQ(behind->trainable_parameters, 96 * 4 + 1) << "a cosine head on features of 96";
}

TEST_F(AdaptedTrials, RoundActivationsOnRequestWhetherStoredOrNot) {
  const auto exact = run();
  config_["train"]["activations"] = "float16";
  const auto stored = run();
  activation_limit_ = 1000;
  const auto anew = run("other-cache");
  ASSERT_TRUE(exact && stored && anew);
  expect_same(*stored, *anew);
  EXPECT_NE(last_loss(*stored), last_loss(*exact));
  EXPECT_NEAR(last_loss(*stored), last_loss(*exact), 0.01);
}

TEST_F(AdaptedTrials, GoOnFromACheckpointWithTheSameBits) {
  expect_that_it_goes_on_with_the_same_bits();
}

// Worths of ranks are smoothed over updates, and ranks that are gone stay gone.
TEST_F(AdaptedTrials, GoOnWithTheSameBitsWhereTheMethodRemembers) {
  config_["peft"] = {{"use", "adalora"}, {"init_r", 4}, {"target_r", 2}, {"tfinal", 2}};
  config_["train"]["batch_size"] = 6;
  config_["train"]["select"] = "last";
  expect_that_it_goes_on_with_the_same_bits();
}

// What a mini-batch takes its neighbours from is the pictures as they are, before and after a stop.
TEST_F(AdaptedTrials, GoOnWithTheSameBitsInMiniBatchesOfViewsOnAGraph) {
  config_["gnn"] = {{"use", "gcn"}, {"layers", 1}};
  config_["graph"] = {{"use", "knn"}, {"k", 3}};
  config_["train"]["batch_size"] = 6;
  config_["train"]["views"] = 3;
  expect_that_it_goes_on_with_the_same_bits();
}

TEST_F(AdaptedTrials, GoOnWithTheSameBitsWhereTheFirstBatchIsKnown) {
  config_["protocol"]["graph"] = "none";
  config_["train"]["batch_size"] = 6;
  expect_that_it_goes_on_with_the_same_bits();
}

// Messages come from what the frozen encoder makes of the training pictures, which is found again.
TEST_F(AdaptedTrials, GoOnWithTheSameBitsWithAGraphInsideTheEncoder) {
  give_graph_adapter();
  config_["train"]["batch_size"] = 6;
  config_["train"]["views"] = 3;
  expect_that_it_goes_on_with_the_same_bits();
}

TEST_F(AdaptedTrials, HaveTheSameBitsWithAGraphInsideFromStoredAndFromComputedActivations) {
  give_graph_adapter();
  const auto stored = run();
  EXPECT_TRUE(fs::exists(folder_ / "cache" / "image_activations" / "key.3"))
      << "the cut is that of the adapter, and nodes are seen from there";
  activation_limit_ = 1000;
  const auto anew = run("other-cache");
  ASSERT_TRUE(stored && anew);
  expect_same(*stored, *anew);
}

TEST_F(AdaptedTrials, SayTheGraphThatTheirMethodLooksAt) {
  give_graph_adapter();
  const auto with = run();
  config_["protocol"]["graph"] = "none";
  const auto alone = run();
  config_["peft"]["layer"] = {{"use", "mlp"}, {"layers", 1}};
  config_["protocol"]["graph"] = "inductive_attach";
  const auto without = run();
  ASSERT_TRUE(with && alone && without);
  EXPECT_EQ(with->graph.at("nodes"), 16);
  EXPECT_GT(with->graph.at("edges"), 0);
  EXPECT_TRUE(alone->graph.empty());
  EXPECT_TRUE(without->graph.empty());
  EXPECT_NE(last_loss(*with), last_loss(*alone));
  EXPECT_EQ(with->trainable_parameters, without->trainable_parameters);
  EXPECT_EQ(first_loss(*with), first_loss(*without)) << "it starts as the identity";
  EXPECT_LT(last_loss(*with), first_loss(*with));
}

TEST_F(AdaptedTrials, SayThatTheyReadWhereFrozenOnesFindAllInTheCache) {
  pool_.emplace(loader_, "cpu");
  config_["peft"] = {{"use", "none"}};
  ASSERT_TRUE(run());
  EXPECT_GT(readings_, 0) << "the dataset was opened and the encoder used";
  readings_ = 0;
  ASSERT_TRUE(run());
  EXPECT_EQ(readings_, 0) << "the dataset was kept, and features were stored";
  config_["peft"] = {{"use", "bitfit"}};
  ASSERT_TRUE(run());
  readings_ = 0;
  ASSERT_TRUE(run());
  EXPECT_GT(readings_, 0) << "the encoder is used, although all is stored";
}

// Trials of other seeds look at other views, whose rows come to the same entry.
TEST_F(AdaptedTrials, KeepEntriesOfActivationsWithinTheirLimit) {
  const auto bytes_in = [&](const std::string& cache) {
    std::int64_t sum = 0;
    for (const auto& part : fs::directory_iterator(folder_ / cache / "image_activations/key.3")) {
      sum += static_cast<std::int64_t>(part.file_size());
    }
    return sum;
  };
  config_["train"]["views"] = 4;
  ASSERT_TRUE(run("first"));
  activation_limit_ = bytes_in("first") * 11 / 10;
  for (const int seed : {1, 2, 3}) {
    config_["seed"] = seed;
    ASSERT_TRUE(run());
    EXPECT_LE(bytes_in("cache"), activation_limit_) << seed;
  }
  EXPECT_THAT(warnings_, testing::Contains(HasSubstr("more than --activation-limit")));
}

// Captions and class texts go through the text tower, pictures through the other.
TEST_F(AdaptedTrials, TrainBothTowersWhereBothAreLookedAt) {
  config_["peft"]["towers"] = "both";
  config_["head"] = {{"use", "prompts"}};
  config_["nodes"] = {{"fuse", "mean"}};
  config_["gnn"] = {{"use", "ga_net"}, {"layer", "gcn"}, {"bottleneck", 8}};
  config_["graph"] = {{"use", "knn"}, {"k", 3}};
  const auto result = run();
  ASSERT_TRUE(result);
  EXPECT_THAT(stages_, testing::IsSupersetOf(
                           {"image_activations", "text_activations", "class_activations"}));
  EXPECT_LT(last_loss(*result), first_loss(*result));
}

TEST_F(AdaptedTrials, TakeTheirNeighboursFromTheBankInMiniBatches) {
  config_["gnn"] = {{"use", "ga_net"}, {"layer", "gcn"}, {"bottleneck", 8}};
  config_["graph"] = {{"use", "knn"}, {"k", 3}};
  config_["train"]["batch_size"] = 6;
  const auto result = run();
  ASSERT_TRUE(result);
  EXPECT_LT(last_loss(*result), first_loss(*result));
}

TEST_F(AdaptedTrials, AttachToTheTowersThatTheyLookAtAndSayWhereThereIsNothing) {
  const auto image = run();
  config_["peft"]["towers"] = "both";
  const auto both = run();
  ASSERT_TRUE(image && both);
  EXPECT_EQ(both->trainable_parameters, image->trainable_parameters);
  expect_same(*image, *both);
  config_["peft"]["towers"] = "text";
  const std::string said = error_of([&] { (void)run(); });
  EXPECT_THAT(said, HasSubstr("peft/bitfit has nothing to train in encoder/clip"));
  EXPECT_THAT(said, HasSubstr("its image tower"));
  EXPECT_THAT(said, HasSubstr("head.use=prompts"));
}

TEST_F(AdaptedTrials, LookAtFixedViewsOfTrainingPictures) {
  const auto plain = run();
  config_["train"]["views"] = 2;
  const auto viewed = run(), again = run(), anew = run("other-cache");
  ASSERT_TRUE(plain && viewed && again && anew);
  expect_same(*viewed, *again);
  expect_same(*viewed, *anew);
  EXPECT_NE(last_loss(*viewed), last_loss(*plain));
  config_["peft"] = {{"use", "none"}};
  const auto frozen = run();
  config_["train"]["views"] = 0;
  const auto frozen_plain = run();
  ASSERT_TRUE(frozen && frozen_plain);
  EXPECT_EQ(first_loss(*frozen), first_loss(*frozen_plain)) << "judged on pictures as they are";
  EXPECT_NE(last_loss(*frozen), last_loss(*frozen_plain));
}

TEST_F(AdaptedTrials, WarnOfMoreThanAHundredParametersAPhoto) {
  (void)run();
  EXPECT_THAT(
      warnings_,
      testing::Contains(HasSubstr("for each of the 16 photos, which they can learn by heart")));
  warnings_.clear();
  config_["peft"] = {{"use", "none"}};
  config_["gnn"] = {{"use", "ga_net"}, {"layer", "gcn"}, {"bottleneck", 1}};
  config_["graph"] = {{"use", "knn"}, {"k", 3}};
  (void)run();
  EXPECT_THAT(warnings_, testing::Not(testing::Contains(HasSubstr("by heart"))));
}

TEST_F(AdaptedTrials, LearnWhatClassesAreTold) {
  config_["nodes"] = {{"fuse", "bimodal"}};
  config_["head"] = {{"use", "prompts"}};
  config_["peft"] = {{"use", "coop"}, {"n_ctx", 3}, {"csc", true}};
  config_["train"] = {{"epochs", 12}, {"lr", 0.01}, {"chunk", 3}};
  const auto result = run();
  ASSERT_TRUE(result);
  EXPECT_LT(last_loss(*result), first_loss(*result));
  expect_that_it_goes_on_with_the_same_bits();
}

}  // namespace
}  // namespace espalier
