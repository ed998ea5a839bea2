// Trials that learn the first half of the classes and are asked about the others.
#include <gmock/gmock.h>

#include "train/trial.hpp"
#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "train/plugin_trial.hpp"

namespace espalier {
namespace {

class BaseToNew : public testing_support::PluginTrial {
 protected:
  BaseToNew() {
    config_ = {{"dataset", {{"use", "flora"}, {"classes", 7}, {"per_class", 20}, {"size", 32}}},
               {"captioner", {{"use", "none"}}},
               {"encoder", {{"use", "clip"}, {"weights", "builtin:flora-clip"}}},
               {"graph", {{"use", "none"}}},
               {"gnn", {{"use", "mlp"}, {"layers", 0}}},
               {"peft", {{"use", "none"}}},
               {"protocol", {{"shots", 4}, {"val_shots", 2}, {"classes", "base"}}},
               {"head", {{"use", "prompts"}}},
               {"train", {{"epochs", 4}, {"lr", 0.01}, {"select", "last"}}},
               {"seed", 1}};
  }

  TrialResult run(const Json& more = Json::object()) {
    Json config = config_;
    config.update(more, true);
    TrialRequest request;
    request.trial_id = "trial";
    request.combo_id = "combo";
    request.config = testing_support::resolved(config, loader_);
    for (const char* name :
         {"image_features", "image_activations", "class_features", "class_activations"}) {
      request.stages.push_back({name, "key", "{}"});
    }
    request.folder = folder_ / "trial";
    request.cache = folder_ / "cache";
    std::filesystem::create_directories(request.folder);
    return run_trial(request, hooks()).value();
  }

  static const Predictions& of_split(const TrialResult& result, std::string_view split) {
    return *std::find_if(result.predictions.begin(), result.predictions.end(),
                         [&](const Predictions& p) { return p.split == split; });
  }

  static constexpr std::int64_t base = 4, all = 7;
  Json config_;
};

// Of the same pictures the columns of all classes' logits are those of either half, and so is what
// they are worth.
TEST_F(BaseToNew, ZeroShotIsThatOfAllClassesHalfByHalf) {
  const TrialResult halves = run({{"head", {{"use", "zero_shot"}}}});
  const TrialResult whole =
      run({{"head", {{"use", "zero_shot"}}}, {"protocol", {{"classes", "all"}}}});
  const Predictions& of_all = of_split(whole, "test");
  std::map<std::string, std::size_t> row_of;
  for (std::size_t i = 0; i < of_all.ids.size(); ++i) row_of[of_all.ids[i]] = i;
  const auto compare = [&](const char* split, std::size_t first, std::size_t classes) {
    const Predictions& some = of_split(halves, split);
    double right = 0;
    for (std::size_t i = 0; i < some.ids.size(); ++i) {
      const float* row = &of_all.logits[row_of.at(some.ids[i]) * all + first];
      for (std::size_t c = 0; c < classes; ++c) {
        EXPECT_NEAR(some.logits[i * classes + c], row[c], 1e-4);
      }
      right += std::max_element(row, row + classes) - row == some.labels[i] ? 1 : 0;
    }
    return right / static_cast<double>(some.ids.size());
  };
  EXPECT_DOUBLE_EQ(halves.test_top1, compare("test", 0, base));
  EXPECT_DOUBLE_EQ(halves.new_top1, compare("test_new", base, all - base));
  EXPECT_DOUBLE_EQ(halves.new_zero_shot_top1, halves.new_top1);
  EXPECT_DOUBLE_EQ(halves.forgetting, 0);
  EXPECT_DOUBLE_EQ(halves.harmonic_mean, 2 / (1 / halves.test_top1 + 1 / halves.new_top1));
  EXPECT_EQ(halves.class_names.size(), 4u);
  EXPECT_EQ(halves.new_class_names.size(), 3u);
  EXPECT_TRUE(std::isnan(whole.new_top1));
  EXPECT_TRUE(std::isnan(whole.forgetting));
}

// Every way that class vectors are made: frozen, by a trained text tower, by learned words, for each
// picture.
TEST_F(BaseToNew, AdaptedEncodersAreAskedAboutNewClasses) {
  const TrialResult start = run({{"head", {{"use", "zero_shot"}}}});
  for (const Json& peft : {Json{{"use", "lora"}, {"towers", "image"}},
                           Json{{"use", "lora"}, {"towers", "text"}}, Json{{"use", "coop"}},
                           Json{{"use", "cocoop"}}}) {
    const TrialResult before = run({{"peft", peft}, {"train", {{"epochs", 0}, {"lr", 0.01}}}});
    const TrialResult after = run({{"peft", peft}});
    EXPECT_DOUBLE_EQ(after.new_zero_shot_top1, start.new_top1) << peft;
    EXPECT_DOUBLE_EQ(after.forgetting, start.new_top1 - after.new_top1) << peft;
    EXPECT_NE(of_split(before, "test_new").logits, of_split(after, "test_new").logits) << peft;
    EXPECT_EQ(of_split(after, "test_new").logits.size(),
              of_split(after, "test_new").ids.size() * (all - base));
    for (const std::int32_t label : after.training.labels) EXPECT_LT(label, base);
    if (peft.at("use") == "coop" || peft.at("use") == "cocoop") continue;
    EXPECT_DOUBLE_EQ(before.new_top1, start.new_top1) << peft << " begins as the encoder is";
    EXPECT_DOUBLE_EQ(before.forgetting, 0) << peft;
  }
}

TEST_F(BaseToNew, TheCostsOfATrialAreThere) {
  const TrialResult result = run({{"peft", {{"use", "lora"}, {"towers", "image"}, {"r", 2}}}});
  EXPECT_EQ(result.method_parameters, result.trainable_parameters);
  EXPECT_EQ(result.optimizer_bytes, 2 * 4 * result.trainable_parameters);
  EXPECT_GT(result.adapter_bytes, 4 * result.trainable_parameters);
  EXPECT_LT(result.adapter_bytes, 4 * result.trainable_parameters + 16384);
  EXPECT_GT(result.forward_seconds, 0);
  EXPECT_GT(result.backward_seconds, 0);
  EXPECT_LE(result.forward_seconds + result.backward_seconds, result.train_seconds);
  EXPECT_GT(result.prefix_seconds, 0);
  EXPECT_GT(result.backward_flops, result.forward_flops / 2);
  EXPECT_GT(result.inference_seconds, 0);
  EXPECT_GT(result.merged_inference_seconds, 0);
  EXPECT_EQ(result.peak_cuda_bytes, -1);
  const TrialResult twice = run({{"peft", {{"use", "lora"}, {"towers", "image"}, {"r", 2}}},
                                 {"train", {{"epochs", 8}, {"lr", 0.01}}}});
  EXPECT_EQ(twice.forward_flops, 2 * result.forward_flops);
  EXPECT_EQ(twice.backward_flops, 2 * result.backward_flops);
  EXPECT_EQ(twice.prefix_flops, result.prefix_flops) << "from the cache";
}

}  // namespace
}  // namespace espalier
