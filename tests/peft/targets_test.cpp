#include <espalier/peft/targets.hpp>

#include <gmock/gmock.h>

#include <chrono>

#include "support.hpp"

namespace espalier {
namespace {

using peft_test::refusal;
using testing::HasSubstr;

TargetParams modules(std::vector<std::string> names) {
  TargetParams params;
  params.target_modules = std::move(names);
  return params;
}

std::vector<std::string> found(const TargetParams& params) {
  const auto encoder = peft_test::clip();
  std::vector<std::string> names;
  for (const Site* site : find_targets(*encoder, SiteRole::linear, params)) {
    names.push_back(site->name);
  }
  return names;
}

TEST(Targets, FindsPartsAndEndsOfNamesInBothTowers) {
  EXPECT_EQ(found(modules({"q"})).size(), 7u);  // 4 layers of images, 3 of texts
  EXPECT_EQ(found(modules({"q"})), found(modules({"q_proj"})));
  EXPECT_EQ(found(modules({"q"})), found(modules({"query"})));
  EXPECT_EQ(found(modules({"self_attn.q_proj"})), found(modules({"q"})));
  EXPECT_EQ(found(modules({"vision_model.encoder.layers.2.mlp.fc1"})).size(), 1u);
  EXPECT_EQ(found(modules({"all-linear"})).size(), 7u * 6 + 2);
}

TEST(Targets, KeepsToTowersAndLayers) {
  TargetParams params = modules({"q", "projection"});
  params.towers = "text";
  EXPECT_EQ(found(params).size(), 4u);
  params.top_layers = 1;
  EXPECT_THAT(found(params), testing::ElementsAre("text_model.encoder.layers.2.self_attn.q_proj",
                                                  "text_projection"));
  params = modules({"q"});
  params.layers_to_transform = {0, 3};
  EXPECT_THAT(found(params),
              testing::ElementsAre("vision_model.encoder.layers.0.self_attn.q_proj",
                                   "vision_model.encoder.layers.3.self_attn.q_proj",
                                   "text_model.encoder.layers.0.self_attn.q_proj"));
}

TEST(Targets, LeavesOutWhatIsExcluded) {
  TargetParams params = modules({"q", "v"});
  params.exclude_modules = {"v"};
  EXPECT_EQ(found(params), found(modules({"q"})));
  params.exclude_modules = {"q", "v_proj"};
  EXPECT_THAT(refusal([&] { (void)found(params); }), HasSubstr("no module of the encoder"));
}

TEST(Targets, MatchesAnExpressionOverWholeNames) {
  TargetParams params;
  params.target_regex = ".*vision_model.*\\.(q_proj|fc1)";
  EXPECT_EQ(found(params).size(), 8u);
  params.target_regex = "q_proj";
  EXPECT_THAT(refusal([&] { (void)found(params); }), HasSubstr("no module of the encoder"));
}

TEST(Targets, RefusesAnExpressionThatDoesNotCompile) {
  TargetParams params;
  for (const char* wrong : {"(q_proj", "a{2000}{2000}", "(?=q)", "(q)\\1"}) {
    params.target_regex = wrong;
    EXPECT_THAT(refusal([&] { (void)found(params); }), HasSubstr("is no regular expression"))
        << wrong;
  }
}

TEST(Targets, MatchesInTimeWhereOthersBacktrackForYears) {
  TargetParams params;
  params.target_regex = "(([a-z_.0-9])+)+!";
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(refusal([&] { (void)found(params); }), HasSubstr("no module of the encoder"));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
}

TEST(Targets, NamesWhatThereIsWhereNothingMatches) {
  const std::string message = refusal([] { (void)found(modules({"q", "c_attn"})); });
  EXPECT_THAT(message, HasSubstr("peft.target_modules names a module that is not there"));
  EXPECT_THAT(message, HasSubstr("c_attn"));
  EXPECT_THAT(message, HasSubstr("fc1, fc2, k, out, patch, projection, q, v"));
}

TEST(Targets, RefusesLayersThatAreNotThere) {
  TargetParams params = modules({"q"});
  params.layers_to_transform = {4};
  EXPECT_THAT(refusal([&] { (void)found(params); }), HasSubstr("layers_to_transform"));
  params.layers_to_transform = {};
  params.top_layers = 4;  // the image tower has 4, the text tower 3
  EXPECT_THAT(refusal([&] { (void)found(params); }),
              HasSubstr("peft.top_layers is more than the text tower has"));
}

TEST(Targets, HaveNothingInATowerThatIsNotLookedAt) {
  const auto encoder = peft_test::clip();
  const auto part = encoder->part({.images = true});
  TargetParams params = modules({"q"});
  params.towers = "text";
  EXPECT_TRUE(find_targets(*part, SiteRole::linear, params).empty());
}

TEST(ModulePattern, TakesTheFirstThatMatches) {
  const ModulePattern ranks({"layers\\.1\\..*q_proj=3", "q_proj=6"}, 8, "rank_pattern");
  EXPECT_EQ(ranks.of("vision_model.encoder.layers.1.self_attn.q_proj"), 3);
  EXPECT_EQ(ranks.of("vision_model.encoder.layers.2.self_attn.q_proj"), 6);
  EXPECT_EQ(ranks.of("vision_model.encoder.layers.1.self_attn.v_proj"), 8);
}

TEST(ModulePattern, RefusesOtherForms) {
  for (const char* wrong : {"q_proj", "q_proj=", "q_proj=0", "q_proj=-1", "q_proj=nan", "(=2"}) {
    EXPECT_THAT(refusal([&] { ModulePattern({wrong}, 8, "rank_pattern"); }),
                HasSubstr("rank_pattern"))
        << wrong;
  }
}

}  // namespace
}  // namespace espalier
