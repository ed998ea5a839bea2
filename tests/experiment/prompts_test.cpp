// Plans of the heads that read texts of the classes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "experiment/support.hpp"

namespace espalier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::base_text;
using testing_support::states;

class PromptsTest : public testing_support::Experiment {
 protected:
};

TEST_F(PromptsTest, RunsZeroShotOnceWhateverWouldBeTrained) {
  const Plan made =
      plan(base_text +
               "sweep:\n  - grid: {head.use: [cosine, zero_shot], gnn.use: [gcn, mlp], "
               "train.lr: [0.1, 0.2], seed: [1, 2]}\n",
           {"encoder=clip"});
  EXPECT_THAT(states(made), ElementsAre(8 + 2, 6, 0, 0));
  const Json identity = made.identity(8);
  for (const char* inert : {"captioner", "gnn", "graph", "nodes", "peft", "train"}) {
    EXPECT_FALSE(identity.contains(inert)) << inert;
  }
  EXPECT_EQ(identity.at("head"),
            (Json{{"use", "zero_shot"}, {"prompts", "auto"}, {"average", "features"}}));
  EXPECT_FALSE(identity.at("protocol").contains("graph"));
}

TEST_F(PromptsTest, AsksForASharedSpaceForZeroShotAndForNothingThatItDoesNotUse) {
  const std::string text =
      base_text +
      "sweep:\n  - grid: {encoder.use: [clip, classical, vit], head.use: [zero_shot]}\n";
  // Neither captions nor a network that can attach.
  const Plan made = plan(text, {"nodes.fuse=concat", "gnn=mlp"});
  EXPECT_THAT(states(made), ElementsAre(1, 0, 0, 2));
  EXPECT_THAT(reason(made, 1), HasSubstr("encoder/classical has none"));
}

TEST_F(PromptsTest, ComparesNodesWithPromptsWhereBothAreInOneSpace) {
  const std::string text = base_text + "sweep:\n  - grid: {encoder.use: [clip, classical]}\n";
  const Plan made = plan(text, {"head=prompts", "captioner=attributes", "nodes.fuse=mean"});
  EXPECT_THAT(states(made), ElementsAre(1, 0, 0, 1));
  for (const char* counts : {"gnn", "graph", "nodes", "train"}) {
    EXPECT_TRUE(made.identity(0).contains(counts)) << counts;
  }
  const Plan wide = plan(base_text, {"head=prompts", "encoder=clip", "captioner=attributes",
                                     "nodes.fuse=mean,concat"});
  EXPECT_THAT(states(wide), ElementsAre(1, 0, 0, 1));
  EXPECT_THAT(reason(wide, 1), HasSubstr("concat makes them wider"));
}

TEST_F(PromptsTest, FitsNoEncoderForZeroShot) {
  std::vector<ComponentInfo> all = testing_support::components();
  all.push_back(
      testing_support::component("encoder", "tuned", {"fitted", "image", "shared_space", "text"}));
  const Plan made = plan(base_text + "sweep:\n  - grid: {encoder.use: [clip, tuned]}\n",
                         {"head=zero_shot"}, std::move(all));
  EXPECT_THAT(states(made), ElementsAre(1, 0, 0, 1));
  EXPECT_THAT(reason(made, 1), HasSubstr("encoder/tuned is fitted"));
}

TEST_F(PromptsTest, TakesADescriptionFileByItsContent) {
  const std::string zero_shot =
      base_text + "  head: {use: zero_shot, prompts: file, descriptions: ";
  const auto head = [&](const std::string& file) {
    return plan(zero_shot + (folder_ / file).string() + "}\n", {"encoder=clip"})
        .identity(0)
        .at("head");
  };
  put("a.json", "{}");
  put("b.json", "{}");
  put("c.json", "{ }");
  EXPECT_EQ(head("a.json"), head("b.json"));
  EXPECT_NE(head("a.json"), head("c.json"));
  EXPECT_THAT(message(base_text + "  head: {use: zero_shot, prompts: file}\n", {"encoder=clip"}),
              HasSubstr("descriptions"));
}

// What the classes' texts are is then the method's.
TEST_F(PromptsTest, DoNotCountWhereAMethodLearnsThem) {
  const std::string text = base_text +
                           "sweep:\n  - grid: {peft.use: [coop, lora, none], head.prompts: [auto, "
                           "general], head.average: [features, scores]}\n";
  const Plan made = plan(text, {"encoder=clip", "head=prompts"});
  EXPECT_THAT(states(made), ElementsAre(1 + 4 + 4, 3, 0, 0));
  EXPECT_EQ(made.identity(0).at("head"), (Json{{"use", "prompts"}}));
}

TEST_F(PromptsTest, CountWhereAMethodThatLearnsThemIsNotTrained) {
  const std::string text =
      base_text + "sweep:\n  - grid: {peft.use: [coop, none], head.prompts: [auto, general]}\n";
  EXPECT_THAT(states(plan(text, {"encoder=clip", "head=zero_shot"})), ElementsAre(2, 2, 0, 0));
}

TEST_F(PromptsTest, AreAskedForByAMethodThatLearnsThem) {
  const std::string text = base_text + "sweep:\n  - grid: {head.use: [prompts, linear]}\n";
  const Plan made = plan(text, {"encoder=clip", "peft=coop"});
  EXPECT_THAT(states(made), ElementsAre(1, 0, 0, 1));
  EXPECT_THAT(reason(made, 1), HasSubstr("head.use: linear does not listen"));
}

}  // namespace
}  // namespace espalier
