#include "experiment/plan.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "experiment/support.hpp"

namespace espalier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing_support::base_text;
using testing_support::states;

class PlanTest : public testing_support::Experiment {
 protected:
};

TEST_F(PlanTest, OfNoSweepIsOneTrial) {
  const Plan made = plan(base_text);
  EXPECT_EQ(made.name(), "test");
  EXPECT_THAT(states(made), ElementsAre(1, 0, 0, 0));
  EXPECT_TRUE(made.axes().empty());
  const Json config = made.config(0);
  EXPECT_EQ(config.at("graph"), (Json{{"use", "threshold"}, {"tau", 0.7}}));
  EXPECT_EQ(config.at("captioner"), (Json{{"use", "none"}}));
  EXPECT_EQ(config.at("seed"), 1);
  EXPECT_EQ(config.at("train").at("lr"), 1e-3);
  EXPECT_EQ(config.size(), 13u);
}

TEST_F(PlanTest, RunsOnceWhatAnInertAxisRepeats) {
  const Plan made =
      plan(base_text + "sweep:\n  - grid: {gnn.use: [gcn, mlp], graph.tau: [0.5, 0.6, 0.7]}\n");
  EXPECT_THAT(states(made), ElementsAre(4, 2, 0, 0));  // an mlp looks at no graph
  EXPECT_EQ(made.trials()[4].original, 3u);
  EXPECT_THAT(reason(made, 4), HasSubstr("graph.tau"));
  EXPECT_FALSE(made.identity(3).contains("graph"));
  EXPECT_FALSE(made.identity(3).at("protocol").contains("graph"));
  EXPECT_TRUE(made.identity(0).contains("graph"));
}

TEST_F(PlanTest, FollowsConditionsOfParametersAcrossSections) {
  const std::string text = base_text +
                           "sweep:\n  - grid: {gnn.use: [gcn, gin, ga_net], graph.use: [knn], "
                           "graph.weighted: [true, false]}\n";
  const Plan made = plan(text, {"~graph.tau"});
  EXPECT_THAT(states(made),
              ElementsAre(5, 1, 0, 0));  // gin ignores weights; ga_net has a gcn inside
  EXPECT_EQ(made.trials()[3].state, TrialState::duplicate);
}

TEST_F(PlanTest, CaptionsCountOnlyWhereNodesHoldText) {
  const std::string sweep =
      "sweep:\n  - grid: {nodes.fuse: [image, concat], captioner.error_rate: [0, 0.2]}\n";
  const Plan made = plan(base_text + "  captioner: attributes\n" + sweep);
  EXPECT_THAT(states(made), ElementsAre(3, 1, 0, 0));
}

TEST_F(PlanTest, KeysOfAnotherChosenComponentAreNoMistake) {
  const Plan made = plan(base_text + "sweep:\n  - grid: {gnn.use: [gcn, gin], gnn.hops: [1, 2]}\n");
  EXPECT_THAT(states(made), ElementsAre(3, 1, 0, 0));
  EXPECT_FALSE(made.config(2).at("gnn").contains("hops"));
  const std::string inside = base_text + "  gnn.layer.hops: 3\n";
  EXPECT_THAT(states(plan(inside, {"gnn.use=gcn,ga_net", "+gnn.layer.use=gcn,gin"})),
              ElementsAre(3, 1, 0, 0));
}

TEST_F(PlanTest, KeysThatNoChosenComponentHasAreMistakes) {
  EXPECT_THAT(message(base_text, {"gnn.hops=1", "gnn=gin"}), HasSubstr("unknown key \"gnn.hops\""));
  EXPECT_THAT(message(base_text, {"gnn.width=1", "gnn=gcn,gin"}),
              HasSubstr("unknown key \"gnn.width\""));
}

TEST_F(PlanTest, SetsWholeSectionsOnAnAxis) {
  const Plan made = plan(base_text + "sweep:\n  - grid:\n      gnn: [{use: gcn, hops: 3}, gin]\n");
  EXPECT_EQ(made.config(0).at("gnn"), (Json{{"use", "gcn"}, {"hops", 3}}));
  EXPECT_EQ(made.config(1).at("gnn"), (Json{{"use", "gin"}, {"eps", 0.0}}));
}

TEST_F(PlanTest, LongerKeysRefineShorterOnes) {
  const Plan made = plan(base_text +
                         "sweep:\n  - grid:\n      gnn.hops: [5]\n"
                         "      gnn: [{use: gcn, hops: 3}]\n");
  EXPECT_EQ(made.config(0).at("gnn").at("hops"), 5);
}

TEST_F(PlanTest, SaysWhatDoesNotFitTogether) {
  const auto reason_of = [&](const std::vector<std::string>& overrides) {
    std::vector<std::string> with = overrides;
    with.emplace_back("seed=1,2");
    return message(base_text, with);
  };
  EXPECT_THAT(reason_of({"nodes.fuse=text"}), HasSubstr("captioner/none gives none"));
  EXPECT_THAT(reason_of({"nodes.fuse=concat", "captioner=attributes", "encoder=vit"}),
              HasSubstr("encoder/vit has no text tower"));
  EXPECT_THAT(reason_of({"nodes.fuse=mean", "captioner=attributes"}), HasSubstr("one space"));
  EXPECT_THAT(reason_of({"peft=lora"}), HasSubstr("encoder/classical has none"));
  EXPECT_THAT(reason_of({"gnn=gps"}), HasSubstr("gnn/gps cannot"));
  put("data/a/x", "1");
  EXPECT_THAT(reason_of({"dataset=folder", "+dataset.root=" + (folder_ / "data").string(),
                         "captioner=attributes", "nodes.fuse=concat"}),
              HasSubstr("dataset/folder has none"));
  EXPECT_THAT(reason_of({"gnn=gps", "protocol.graph=transductive"}), HasSubstr("no error"));
  EXPECT_THAT(reason_of({"encoder=clip", "peft=lora"}), HasSubstr("no error"));
}

TEST_F(PlanTest, KeepsImpossibleTrialsInTheList) {
  const Plan made = plan(base_text, {"gnn.use=glob(g*)", "seed=1,2"});
  EXPECT_THAT(states(made), ElementsAre(6, 0, 0, 2));
  EXPECT_TRUE(made.identity(6).is_null());
  EXPECT_TRUE(made.stages(6).empty());
  EXPECT_EQ(made.config(6).at("gnn").at("use"), "gps");
}

TEST_F(PlanTest, ReportsAllMistakesAtOnce) {
  const std::string text = message(
      "name: test\n"
      "base:\n"
      "  dataset: {use: flora, clases: 3}\n"
      "  encoder: {use: clasical}\n"
      "  graph: {use: threshold, tau: 1.5}\n"
      "  gnn: {use: gcn, hops: many}\n"
      "  train: {epochs: 1.5, lr: -1}\n"
      "sweep:\n"
      "  - grid: {graph.tau: [0.5, 2], train.warmup: [0.1, 1], seed: [-1]}\n");
  EXPECT_THAT(text, HasSubstr("unknown key \"dataset.clases\""));
  EXPECT_THAT(text, HasSubstr("e.yaml:3"));
  EXPECT_THAT(text, HasSubstr("did you mean \"classes\"?"));
  EXPECT_THAT(text, HasSubstr("no encoder component is called \"clasical\""));
  EXPECT_THAT(text, HasSubstr("\"gnn.hops\" has a value that does not fit"));
  EXPECT_THAT(text, HasSubstr("\"train.epochs\""));
  EXPECT_THAT(text, HasSubstr("\"train.lr\""));
  EXPECT_THAT(text, HasSubstr("\"train.warmup\""));
  EXPECT_THAT(text, HasSubstr("\"graph.tau\""));
  EXPECT_THAT(text, HasSubstr("e.yaml:9"));
  EXPECT_THAT(text, HasSubstr("\"seed\""));
  EXPECT_THAT(text, Not(HasSubstr("e.yaml:5")));  // the axis stands in for base's tau
  EXPECT_EQ(text.find("dataset.clases"), text.rfind("dataset.clases"));
}

TEST_F(PlanTest, ChecksOfParametersSpareExcludedTrials) {
  const std::string sweep = "sweep:\n  - grid: {gnn.a: [1, 3], gnn.b: [2, 4]}\n";
  EXPECT_THAT(message(base_text + sweep, {"gnn=checked"}), HasSubstr("a is larger than b"));
  EXPECT_THAT(states(plan(base_text + sweep + "    exclude: gnn.a > gnn.b\n", {"gnn=checked"})),
              ElementsAre(3, 0, 1, 0));
  EXPECT_THAT(message(base_text, {"protocol.val_fraction=0.5", "protocol.test_fraction=0.5"}),
              HasSubstr("leave nothing to train on"));
}

TEST_F(PlanTest, NamesTheKeyThatWasTyped) {
  const std::string without = "name: test\nbase: {dataset: flora, encoder: classical, gnn: gcn}\n";
  const std::string text = message(without, {"graph.tau=0.7"});
  EXPECT_THAT(text, HasSubstr("unknown key \"graph.tau\""));
  EXPECT_THAT(text, HasSubstr("command line: graph.tau=0.7"));
  EXPECT_THAT(text, HasSubstr("no parameters: graph/none has none"));
  EXPECT_THAT(text, HasSubstr("it is a key of graph.use=threshold"));
  EXPECT_THAT(text, Not(HasSubstr("\"graph.use\"")));
  EXPECT_THAT(message("name: test\nbase: {dataset: flora, encoder: classical, gnn: {hops: 2}}\n"),
              HasSubstr("only gnn.hops"));
}

TEST_F(PlanTest, WarnsOfAnAxisThatAnOverrideReplaces) {
  const std::string text = base_text + "sweep:\n  - grid: {graph.tau: [0.5, 0.6], seed: [1, 2]}\n";
  const Plan set = plan(text, {"graph.tau=0.7"});
  ASSERT_EQ(set.warnings().size(), 1u);
  EXPECT_THAT(set.warnings()[0], HasSubstr("graph.tau=0.7 takes the place of the axis graph.tau"));
  EXPECT_THAT(set.warnings()[0], HasSubstr("e.yaml:8, which has 2 values"));
  EXPECT_EQ(plan(text, {"graph.tau=0.7,0.8"}).warnings().size(), 1u);
  ASSERT_EQ(plan(text, {"graph=none"}).warnings().size(), 1u);
  EXPECT_THAT(plan(text, {"graph=none"}).warnings()[0], HasSubstr("tau makes no difference"));
  EXPECT_EQ(plan(text, {"~graph.tau", "train.lr=1"}).warnings().size(), 0u);
  EXPECT_EQ(plan(base_text + "sweep:\n  - grid: {gnn: [{use: gcn, hops: 3}, gin]}\n", {"gnn=gcn"})
                .warnings()
                .size(),
            1u);
}

TEST_F(PlanTest, WarnsOfAnAxisThatMakesNoDifference) {
  const Plan made = plan(base_text, {"gnn=mlp", "graph.tau=0.5,0.6", "seed=1,2"});
  ASSERT_EQ(made.warnings().size(), 1u);
  EXPECT_THAT(made.warnings()[0], HasSubstr("the axis graph.tau makes no difference"));
  EXPECT_TRUE(plan(base_text, {"gnn=mlp,gcn", "graph.tau=0.5,0.6"}).warnings().empty());
}

TEST_F(PlanTest, CountsNoMoreValidationImagesThanShots) {
  const auto with = [&](const std::string& shots, const std::string& val) {
    return id(base_text, {"protocol.shots=" + shots, "protocol.val_shots=" + val});
  };
  EXPECT_EQ(with("4", "4"), with("4", "16"));
  EXPECT_NE(with("4", "4"), with("4", "3"));
  EXPECT_NE(with("4", "4"), with("4", "0"));   // all of them
  EXPECT_NE(with("0", "4"), with("0", "16"));  // no limit
}

TEST_F(PlanTest, TakesAnAutomaticNumberOfValidationImagesForWhatItComesTo) {
  const auto planned = [&](const std::string& shots, const std::string& val) {
    const Plan made = plan(base_text, {"protocol.shots=" + shots, "protocol.val_shots=" + val});
    return std::count_if(made.trials().begin(), made.trials().end(), [](const PlannedTrial& trial) {
      return trial.state == TrialState::planned;
    });
  };
  EXPECT_EQ(planned("16", "-1,4"), 1);
  EXPECT_EQ(planned("16", "-1,5"), 2);
  EXPECT_EQ(planned("2", "-1,2,4"), 1);
  EXPECT_EQ(planned("2", "-1,1"), 2);
  EXPECT_EQ(planned("0", "-1,0"), 1);
  EXPECT_EQ(planned("0", "-1,4"), 2);
}

TEST_F(PlanTest, NeedsItsComponents) {
  const std::string text = message("name: test\nbase: {dataset: flora}\n");
  EXPECT_THAT(text, HasSubstr("\"encoder.use\" names no component"));
  EXPECT_THAT(text, HasSubstr("\"gnn.use\" names no component"));
}

TEST_F(PlanTest, RefusesSectionsOfTheWrongForm) {
  EXPECT_THAT(message(base_text + "  train: 3\n"), HasSubstr("\"train\" is no component"));
  EXPECT_THAT(message(base_text + "  train: fast\n"), HasSubstr("\"train\" is no component"));
  EXPECT_THAT(message(base_text + "  train: {use: x}\n"), HasSubstr("\"train\" is no component"));
  EXPECT_THAT(message(base_text + "  peft: 3\n"), HasSubstr("names no component"));
  EXPECT_THAT(message(base_text + "  seed: {a: 1}\n"), HasSubstr("\"seed\""));
  EXPECT_THAT(message(base_text, {"seed.x=1"}), HasSubstr("\"seed\""));
}

TEST_F(PlanTest, MakesPathsAbsolute) {
  put("data/a/x", "1");
  const std::string relative = std::filesystem::relative(folder_ / "data").string();
  const Plan made = plan(base_text, {"dataset=folder", "+dataset.root=" + relative});
  EXPECT_EQ(made.config(0).at("dataset").at("root"),
            (folder_ / "data").lexically_normal().string());
}

TEST_F(PlanTest, NamesDataThatIsMissing) {
  const std::string text = message(base_text, {"dataset=folder", "+dataset.root=/no/such/folder"});
  EXPECT_THAT(text, HasSubstr("\"dataset.root\""));
  EXPECT_THAT(text, HasSubstr("command line: +dataset.root=/no/such/folder"));
  EXPECT_THAT(text, HasSubstr("No such file or directory"));
  EXPECT_THAT(message(base_text, {"dataset=folder"}), HasSubstr("\"dataset.root\""));
  EXPECT_THAT(message(base_text, {"encoder.weights=builtin:no-such-thing"}),
              HasSubstr("no built-in data is called"));
}

}  // namespace
}  // namespace espalier
