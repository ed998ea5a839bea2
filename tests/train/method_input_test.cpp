#include "train/method_input.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/full.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include "train/trial_setting.hpp"

#include "train/plugin_trial.hpp"

namespace espalier {
namespace {

// Samples 0 to 4 have two columns of their own number, view v of them v tenths more; texts are
// minus that. Classes point along the axes.
class MethodInputs : public testing_support::PluginTrial {
 protected:
  MethodInputs() {
    std::vector<Look> looks;
    std::vector<std::size_t> samples;
    at::Tensor images = at::arange(5, at::kFloat).view({5, 1}).repeat({1, 2}) + 1;
    for (std::size_t sample = 0; sample < 5; ++sample) {
      samples.push_back(sample);
      looks.push_back({sample, 0});
    }
    const at::Tensor plain = images;
    for (const std::int64_t view : {1, 2}) {
      for (std::size_t sample = 0; sample < 5; ++sample) looks.push_back({sample, view});
      images = at::cat({images, plain + 0.1 * static_cast<double>(view)});
    }
    frozen_.sources.images = std::make_shared<FrozenSource>(FeatureTable(images), looks);
    frozen_.sources.texts = std::make_shared<FrozenSource>(-plain, samples);
    const std::size_t labels[] = {0, 1};
    frozen_.sources.classes =
        std::make_shared<FrozenSource>(at::tensor({1.0F, 0.0F, 0.0F, 3.0F}).view({2, 2}), labels);
    frozen_.sources.class_count = 2;
    frozen_.widths = {.images = 2, .texts = 2};
    frozen_.space = {.width = 2, .logit_scale = 10};
    split_.train = {.samples = {3, 0}, .labels = {1, 0}};
    split_.val = {.samples = {4}, .labels = {1}};
    config_ = {{"head", {{"use", "prompts"}}}, {"nodes", {{"normalize", false}}}};
  }

  [[nodiscard]] MethodInput made() {
    Json config = config_;
    for (const auto& [section, use] : std::map<std::string, std::string>{{"dataset", "flora"},
                                                                         {"encoder", "clip"},
                                                                         {"gnn", "mlp"},
                                                                         {"graph", "none"},
                                                                         {"captioner", "none"},
                                                                         {"peft", "none"}}) {
      config[section] = {{"use", use}};
    }
    config["encoder"]["weights"] = "builtin:flora-clip";
    TrialRequest request;
    request.config = testing_support::resolved(config, loader_);
    const TrialHooks told = hooks();
    const TrialSetting setting(request, told);
    const Recipe recipe(setting);
    const auto fusion = make_fusion(recipe.nodes, frozen_.widths, true);
    return method_input(recipe, frozen_, *fusion, split_);
  }

  Json config_;
  TrialFeatures frozen_;
  DataSplit split_;
};

std::vector<float> first_column(const at::Tensor& x) {
  const at::Tensor column = x.select(1, 0).contiguous();
  return {column.data_ptr<float>(), column.data_ptr<float>() + column.numel()};
}

TEST_F(MethodInputs, HoldTrainingAndValidationWithWhatTheHeadMakesOfThem) {
  const MethodInput input = made();
  EXPECT_THAT(first_column(input.train.features), testing::ElementsAre(4, 1));
  EXPECT_THAT(first_column(input.val.features), testing::ElementsAre(5));
  EXPECT_TRUE(at::equal(input.train.labels, at::tensor({1, 0}, at::kLong)));
  EXPECT_TRUE(at::equal(input.val.labels, at::tensor({1}, at::kLong)));
  EXPECT_TRUE(at::allclose(input.train.logits, at::full({2, 2}, 10 * std::sqrt(0.5))));
  EXPECT_TRUE(at::equal(input.classes, at::tensor({1.0F, 0.0F, 0.0F, 3.0F}).view({2, 2})));
  EXPECT_EQ(input.logit_scale, 10);
  EXPECT_EQ(input.views, 1);
}

TEST_F(MethodInputs, HoldTheViewsOfATrainingSampleOneBehindTheOther) {
  config_["train"] = {{"views", 2}};
  const MethodInput input = made();
  EXPECT_EQ(input.views, 2);
  EXPECT_THAT(first_column(input.train.features),
              testing::ElementsAre(testing::FloatEq(4.1F), testing::FloatEq(4.2F),
                                   testing::FloatEq(1.1F), testing::FloatEq(1.2F)));
  EXPECT_TRUE(at::equal(input.train.labels, at::tensor({1, 1, 0, 0}, at::kLong)));
  EXPECT_THAT(first_column(input.val.features), testing::ElementsAre(5)) << "plain";
}

TEST_F(MethodInputs, HoldTheMeanOfTheNodesOfASample) {
  config_["nodes"]["fuse"] = "bimodal";
  EXPECT_THAT(first_column(made().train.features), testing::ElementsAre(0, 0));
  config_["nodes"]["fuse"] = "text";
  EXPECT_THAT(first_column(made().train.features), testing::ElementsAre(-4, -1));
}

TEST_F(MethodInputs, HaveNoLogitsBehindAHeadOfItsOwnAndNoRowsWithoutValidation) {
  config_["head"]["use"] = "linear";
  split_.val = {};
  frozen_.sources.classes = nullptr;
  frozen_.sources.class_count = 0;
  const MethodInput input = made();
  EXPECT_FALSE(input.train.logits.defined());
  EXPECT_FALSE(input.classes.defined());
  EXPECT_EQ(input.val.features.sizes(), (std::vector<std::int64_t>{0, 2}));
  EXPECT_EQ(input.val.labels.numel(), 0);
}

}  // namespace
}  // namespace espalier
