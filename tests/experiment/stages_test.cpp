// Which stages trials share, and the keys of these.
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "experiment/support.hpp"

namespace espalier {
namespace {

using testing_support::base_text;

class StagesTest : public testing_support::Experiment {};

TEST_F(StagesTest, AreShared) {
  const std::string text = base_text +
                           "  captioner: attributes\n"
                           "sweep:\n  - grid: {nodes.fuse: [image, concat], graph.tau: [0.5, 0.6], "
                           "captioner.error_rate: [0, 0.2], seed: [1, 2]}\n";
  const Plan made = plan(text);
  std::map<std::string, std::set<std::string>> keys;
  for (std::size_t i = 0; i < made.trials().size(); ++i) {
    for (const StageRef& stage : made.stages(i)) keys[stage.name].insert(stage.key);
  }
  EXPECT_EQ(keys["image_features"].size(), 1u);
  EXPECT_EQ(keys["captions"].size(), 4u);  // two error rates, and the captioner is seeded
  EXPECT_EQ(keys["text_features"].size(), 4u);
  const auto names = [&](std::size_t trial) {
    std::string all;
    for (const StageRef& stage : made.stages(trial)) all += stage.name + " ";
    return all;
  };
  EXPECT_EQ(names(0), "image_features ");
  EXPECT_EQ(names(made.trials().size() - 1), "image_features captions text_features ");
}

TEST_F(StagesTest, HaveTheHashOfWhatTheyDependOn) {
  const Plan made = plan(base_text, {"captioner=attributes", "nodes.fuse=concat"});
  const Json identity = made.identity(0);
  const auto key = [](const Json& inputs) { return hex(sha256(canonical_json(inputs))); };
  const auto stages = made.stages(0);
  ASSERT_EQ(stages.size(), 3u);
  EXPECT_EQ(stages[0].key, key({{"stage", "image_features"},
                                {"version", 2},
                                {"dataset", identity["dataset"]},
                                {"encoder", identity["encoder"]}}));
  EXPECT_EQ(stages[1].key, key({{"stage", "captions"},
                                {"version", 2},
                                {"captioner", identity["captioner"]},
                                {"dataset", identity["dataset"]},
                                {"seed", 1}}));
  EXPECT_EQ(stages[2].key,
            key({{"stage", "text_features"},
                 {"version", 2},
                 {"captions", stages[1].key},
                 {"encoder", identity["encoder"]},
                 {"split", {{"split_seed", 1}, {"test_fraction", 0.3}, {"val_fraction", 0.2}}}}));
}

TEST_F(StagesTest, OfZeroShotArePicturesAndClasses) {
  const std::string text = base_text + "  captioner: attributes\n";
  const Plan made = plan(text, {"head=zero_shot", "encoder=clip", "nodes.fuse=concat"});
  const Json identity = made.identity(0);
  const auto stages = made.stages(0);
  ASSERT_EQ(stages.size(), 2u);
  EXPECT_EQ(stages[0].name, "image_features");
  EXPECT_EQ(stages[1].key, hex(sha256(canonical_json({{"stage", "class_features"},
                                                      {"version", 2},
                                                      {"dataset", identity["dataset"]},
                                                      {"encoder", identity["encoder"]},
                                                      {"head", identity["head"]}}))));
}

TEST_F(StagesTest, OfPromptsAreClassesBesideWhatTheNodesHold) {
  const Plan made = plan(base_text + "  captioner: attributes\n",
                         {"head=prompts", "encoder=clip", "nodes.fuse=mean"});
  std::string names;
  for (const StageRef& stage : made.stages(0)) names += stage.name + " ";
  EXPECT_EQ(names, "image_features class_features captions text_features ");
}

// Where the graph reads more than the nodes hold.
TEST_F(StagesTest, FollowWhatTheGraphNeeds) {
  using testing_support::component;
  std::vector<ComponentInfo> all = testing_support::components();
  all.push_back(component("graph", "fused", {"needs_other"}));
  all.push_back(component("graph", "semantic", {"needs_texts"}));
  const auto names = [&](const std::string& graph, const std::string& gnn) {
    const Plan made = plan(base_text + "  captioner: attributes\n",
                           {"graph=" + graph, "gnn=" + gnn, "~graph.tau"}, all);
    EXPECT_EQ(made.identity(0).contains("captioner"), gnn == "gcn") << graph;
    std::string list;
    for (const StageRef& stage : made.stages(0)) list += stage.name + " ";
    return list;
  };
  EXPECT_EQ(names("fused", "gcn"), "image_features captions text_features ");
  EXPECT_EQ(names("semantic", "gcn"), "image_features captions ");
  EXPECT_EQ(names("fused", "mlp"), "image_features ") << "it looks at no graph";
}

// A family of activations depends on what the features depend on; its cuts are known later.
TEST_F(StagesTest, OfMethodsInsideEncodersAreFamiliesBesideTheFeatures) {
  const std::string text = base_text + "  captioner: attributes\n";
  const std::vector<std::string> adapted = {"peft=lora", "encoder=clip", "head.use=prompts",
                                            "nodes.fuse=mean"};
  std::map<std::string, std::string> inputs;
  const Plan made = plan(text, adapted);
  for (const StageRef& stage : made.stages(0)) inputs[stage.name] = stage.inputs;
  for (const char* of : {"image", "class", "text"}) {
    Json features = Json::parse(inputs.at(std::string(of) + "_features"));
    features["stage"] = std::string(of) + "_activations";
    features.erase("split");
    EXPECT_EQ(Json::parse(inputs.at(std::string(of) + "_activations")), features);
  }
  const auto keys = [&](const std::string& change) {
    std::vector<std::string> with = adapted;
    with.push_back(change);
    const Plan other = plan(text, with);
    return other.stages(0).at(1).key;
  };
  EXPECT_EQ(keys("peft.rank=4"), keys("train.views=3")) << "neither the method nor views count";
  const Plan frozen = plan(text, {"encoder=clip"});
  for (const StageRef& stage : frozen.stages(0)) {
    EXPECT_EQ(stage.name.find("activations"), std::string::npos);
  }
}

// Of one that leaves them to the head they follow from the head alone.
TEST_F(StagesTest, OfClassesFollowAMethodThatSaysWhatTheirTextsAre) {
  const auto class_stages = [&](const std::string& method) {
    std::map<std::string, std::string> keys;
    const Plan made = plan(base_text, {"encoder=clip", "head.use=prompts", method});
    for (const StageRef& stage : made.stages(0)) keys[stage.name] = stage.key;
    return keys;
  };
  const auto coop = class_stages("peft={use: coop, n_ctx: 4}");
  const auto other = class_stages("peft={use: coop, n_ctx: 8}");
  for (const char* stage : {"class_features", "class_activations"}) {
    EXPECT_NE(coop.at(stage), other.at(stage)) << stage;
  }
  EXPECT_EQ(coop.at("image_features"), other.at("image_features"));
  EXPECT_EQ(class_stages("peft=lora").at("class_features"),
            class_stages("peft=none").at("class_features"));
  EXPECT_NE(class_stages("peft=lora").at("class_features"), coop.at("class_features"));
}

}  // namespace
}  // namespace espalier
