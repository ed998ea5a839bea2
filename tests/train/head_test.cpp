#include "train/head.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <cmath>
#include <espalier/core/error.hpp>

#include "plugins/plugin_support.hpp"

namespace espalier {
namespace {

using testing_support::error_of;

at::Tensor states() { return at::tensor({3.0F, 4.0F, -5.0F, 0.0F}).view({2, 2}); }

struct Made {
  Made(const HeadParams& params, const ClassSpace& space, std::int64_t width = 2)
      : head(make_head(params, space)) {
    Random random(std::uint64_t{1});
    head->init(width, 2, parameters, random);
  }
  Parameters parameters;
  std::unique_ptr<Head> head;
};

TEST(Head, LinearIsAnAffineMap) {
  const Made made({.use = "linear"}, {});
  const auto parameters = made.parameters.tensors();
  ASSERT_EQ(parameters.size(), 2U);
  const at::Tensor expected = states().matmul(parameters[0].t()) + parameters[1];
  EXPECT_TRUE(at::allclose((*made.head)(states(), {}), expected));
}

TEST(Head, CosineDoesNotSeeLengths) {
  const Made made({.use = "cosine", .scale = 10}, {});
  const at::Tensor logits = (*made.head)(states(), {});
  EXPECT_TRUE(at::allclose(logits, (*made.head)(states() * 7, {})));
  EXPECT_LE(logits.abs().max().item<double>(), 10.0001);
}

TEST(Head, PromptsGiveScaledCosinesWithTheClassesAndHaveNothingToTrain) {
  for (const char* use : {"prompts", "zero_shot"}) {
    const Made made({.use = use}, {.width = 2, .logit_scale = 10});
    EXPECT_TRUE(made.parameters.entries().empty());
    const Values values{.classes = at::tensor({1.0F, 0.0F, 0.0F, 1.0F}).view({2, 2})};
    const at::Tensor logits = (*made.head)(states(), values);
    EXPECT_TRUE(at::allclose(logits, at::tensor({6.0F, 8.0F, -10.0F, 0.0F}).view({2, 2})));
  }
}

// Two texts at right angles, and one: a state between the two has cosine 1 with their mean, but
// sqrt(1/2) with each.
TEST(Head, PromptsAverageFeaturesOrScores) {
  const Values values{.classes = at::tensor({0.5F, 0.5F, 1.0F, 0.0F}).view({2, 2})};
  const at::Tensor between = at::tensor({2.0F, 2.0F}).view({1, 2});
  const float each = 10 * std::sqrt(0.5F);
  const auto logits = [&](const char* average) {
    const Made made({.use = "prompts", .average = average}, {.width = 2, .logit_scale = 10});
    return (*made.head)(between, values);
  };
  EXPECT_TRUE(at::allclose(logits("features"), at::tensor({10.0F, each}).view({1, 2})));
  EXPECT_TRUE(at::allclose(logits("scores"), at::tensor({each, each}).view({1, 2})));
}

// Both begin as `prompts` on states of length 1.
TEST(Head, LinearAndCosineMayStartFromTheClassVectors) {
  const at::Tensor classes = at::tensor({1.0F, 0.0F, 0.6F, 1.1F}).view({2, 2});
  const ClassSpace space{.width = 2, .logit_scale = 10, .vectors = classes};
  const at::Tensor unit = states() / states().norm(2, 1).unsqueeze(1);
  const Made prompts({.use = "prompts"}, space);
  const at::Tensor expected = (*prompts.head)(unit, {.classes = classes});
  for (const char* use : {"linear", "cosine"}) {
    const Made made({.use = use, .init = "prompts"}, space);
    EXPECT_TRUE(at::allclose((*made.head)(unit, {}), expected, 1e-5, 1e-5)) << use;
    EXPECT_EQ(made.parameters.entries().size(), 2U) << use;
  }
  const Made random({.use = "linear"}, space);
  EXPECT_FALSE(at::allclose((*random.head)(unit, {}), expected, 1e-2, 1e-2));
  EXPECT_THAT(
      error_of([&] { (void)Made({.use = "linear", .init = "prompts"}, space, 3); }),
      testing::AllOf(testing::HasSubstr("head.init: prompts"), testing::HasSubstr("2 columns")));
}

TEST(Head, PromptsNeedStatesOfTheirWidth) {
  EXPECT_THAT(error_of([] { (void)Made({.use = "prompts"}, {.width = 3}); }),
              testing::AllOf(testing::HasSubstr("3 columns"), testing::HasSubstr("nodes.fuse")));
}

}  // namespace
}  // namespace espalier
