// What only the data can say decides what counts, and its mistakes are those of the experiment.
#include "experiment/data_inspector.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>

#include "experiment/support.hpp"

namespace espalier {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::base_text;
using testing_support::states;

// Answers by the number of classes, and counts what it is asked.
class FakeInspector final : public DataInspector {
 public:
  DataFacts facts(const InspectedSection& dataset) override {
    ++asked["facts"];
    const auto classes = dataset.resolved->at("classes").get<int>();
    if (classes == 13) throw Error(std::vector<Problem>{wrong("photo a"), wrong("photo b")});
    return {with.contains(classes) ? with[classes] : std::vector<std::string>{}, warnings};
  }
  SplitSizes check_protocol(const InspectedSection&, const InspectedSection& protocol) override {
    ++asked["protocol"];
    if (protocol.resolved->at("test_fraction") == 0.7) throw Error(wrong("class c"));
    return {.train = 100, .others = 50};
  }
  void check_head(const InspectedSection&, const InspectedSection& head) override {
    ++asked["head"];
    if (head.resolved->at("prompts") == "general") throw Error(wrong("class d"));
  }

  void check_captions(const InspectedSection&, const InspectedSection& captioner) override {
    ++asked["captioner"];
    if (captioner.resolved->value("error_rate", 0.0) == 0.5) throw Error(wrong("photo e"));
  }
  MethodCuts cuts(const InspectedSection&, const InspectedSection& peft,
                  const std::vector<std::string>& towers) override {
    ++asked["cuts"];
    if (towers.size() > 1) throw Error(wrong("tower e"));
    if (towers.at(0) == "text") return {.towers = {}, .nothing = "its text tower"};
    return {.towers = {{.tower = towers.at(0),
                        .cut = peft.resolved->at("rank"),
                        .layers = 12,
                        .bytes = 10}},
            .nothing = {},
            .warnings = method_warnings};
  }

  SizeSearch fit(const InspectedSection&, const InspectedSection&, const InspectedSection&,
                 const std::vector<std::string>&, const SizeQuestion&) override {
    return {};
  }

  std::map<int, std::vector<std::string>> with;
  std::vector<std::string> warnings;
  std::vector<std::string> method_warnings;
  std::map<std::string, int> asked;

 private:
  static Problem wrong(std::string what) { return {std::move(what), {}, {}, {}, {}}; }
};

class DataInspectorTest : public testing_support::Experiment {
 protected:
  DataInspectorTest() { inspector_ = &fake_; }

  [[nodiscard]] std::string id_of(int classes, const std::string& change) const {
    return id(base_text, {"dataset.classes=" + std::to_string(classes), change});
  }

  FakeInspector fake_;
};

TEST_F(DataInspectorTest, SplitSettingsCountWhereTheDataHasNoSuchSplit) {
  fake_.with = {{30, {"official_test"}}, {40, {"official_val", "official_test"}}};
  const auto counts = [&](int classes, const std::string& change) {
    return id_of(classes, change) != id_of(classes, "seed=1");
  };
  EXPECT_TRUE(counts(20, "protocol.split_seed=2"));
  EXPECT_TRUE(counts(20, "protocol.test_fraction=0.4"));
  EXPECT_TRUE(counts(20, "protocol.val_fraction=0.1"));
  EXPECT_TRUE(counts(30, "protocol.split_seed=2"));
  EXPECT_FALSE(counts(30, "protocol.test_fraction=0.4"));
  EXPECT_TRUE(counts(30, "protocol.val_fraction=0.1"));
  EXPECT_FALSE(counts(40, "protocol.split_seed=2"));
  EXPECT_FALSE(counts(40, "protocol.test_fraction=0.4"));
  EXPECT_FALSE(counts(40, "protocol.val_fraction=0.1"));
}

TEST_F(DataInspectorTest, AnInertSplitSeedIsSaid) {
  fake_.with = {{40, {"official_val", "official_test"}}};
  const Plan made = plan(base_text, {"dataset.classes=20,40", "protocol.split_seed=1,2,3"});
  EXPECT_THAT(states(made), ElementsAre(4, 2, 0, 0));
  EXPECT_THAT(made.reasons()[made.trials()[5].reason], HasSubstr("protocol.split_seed"));
  const Plan official = plan(base_text, {"dataset.classes=40", "protocol.split_seed=1,2,3"});
  ASSERT_EQ(official.warnings().size(), 1u);
  EXPECT_THAT(official.warnings()[0], HasSubstr("axis protocol.split_seed makes no difference"));
}

TEST_F(DataInspectorTest, IsAskedOncePerSection) {
  (void)plan(base_text, {"dataset.classes=20,30", "protocol.shots=1,2", "seed=range(0,5)",
                         "head=linear,cosine"});
  EXPECT_EQ(fake_.asked["facts"], 2);
  EXPECT_EQ(fake_.asked["protocol"], 4);
  EXPECT_EQ(fake_.asked["head"], 0);
  (void)plan(base_text, {"encoder=clip", "head=zero_shot", "head.prompts=auto,simple", "seed=1,2"});
  EXPECT_EQ(fake_.asked["head"], 2);
}

TEST_F(DataInspectorTest, CaptionsAreCheckedWhereTheyAreRead) {
  const std::vector<std::string> rates{"captioner=attributes", "captioner.error_rate=0,0.5",
                                       "seed=1,2", "nodes.fuse=concat"};
  EXPECT_THAT(message(base_text, rates), HasSubstr("photo e"));
  EXPECT_EQ(fake_.asked["captioner"], 2);
  (void)plan(base_text, {rates[0], rates[2], "nodes.fuse=image"});
  EXPECT_EQ(fake_.asked["captioner"], 2) << "nobody reads them";
}

TEST_F(DataInspectorTest, MistakesOfTheDataAreThoseOfTheExperiment) {
  const auto occurrences = [](const std::string& text, const std::string& what) {
    int count = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
    return count;
  };
  const std::string text =
      message(base_text, {"dataset.classes=13", "seed=range(0,9)", "train.lr=fast"});
  EXPECT_EQ(occurrences(text, "photo a\n  where:    e.yaml:3"), 1);
  EXPECT_EQ(occurrences(text, "\"train.lr\""), 1);
  const std::string data = message(base_text, {"dataset.classes=13,20", "seed=range(0,9)"});
  EXPECT_EQ(occurrences(data, "photo a"), 1);
  EXPECT_EQ(occurrences(data, "photo b"), 1);
  EXPECT_EQ(occurrences(message(base_text, {"protocol.test_fraction=0.7", "seed=1,2",
                                            "protocol.val_fraction=0.1,0.2"}),
                        "class c"),
            1);
  EXPECT_EQ(occurrences(message(base_text, {"encoder=clip", "head=zero_shot",
                                            "head.prompts=general,auto", "seed=1,2"}),
                        "class d"),
            1);
}

TEST_F(DataInspectorTest, IsNotAskedOfDatasetsThatAreMistakes) {
  const std::string sweep =
      "sweep:\n  - grid: {seed: [1, 2]}\n    exclude: has(dataset, official_test)\n";
  EXPECT_THAT(message(base_text + sweep, {"dataset=flroa"}), HasSubstr("is called \"flroa\""));
  EXPECT_EQ(fake_.asked["facts"], 0);
}

TEST_F(DataInspectorTest, ConditionsMayAskWhatTheDataSays) {
  fake_.with = {{40, {"official_test"}}};
  EXPECT_THAT(states(plan(base_text + "sweep:\n  - grid: {dataset.classes: [20, 40]}\n"
                                      "    when: has(dataset, official_test)\n")),
              ElementsAre(1, 0, 1, 0));
}

TEST_F(DataInspectorTest, IsNotAskedOfExcludedTrials) {
  const std::string sweep =
      "sweep:\n  - grid: {dataset.classes: [13, 20]}\n    exclude: dataset.classes == 13\n";
  EXPECT_THAT(states(plan(base_text + sweep)), ElementsAre(1, 0, 1, 0));
}

TEST_F(DataInspectorTest, MethodsInsideEncodersAreLookedAtOncePerCut) {
  const Plan made = plan(base_text + "sweep:\n  - grid: {peft.rank: [2, 4], seed: [1, 2, 3]}\n",
                         {"peft=lora", "encoder=clip", "train.views=2"});
  EXPECT_EQ(fake_.asked["cuts"], 2);
  ASSERT_EQ(made.cuts().size(), 2u);
  EXPECT_EQ(made.cuts()[0].cut.cut + made.cuts()[1].cut.cut, 6) << "the ranks";
  EXPECT_EQ(made.cuts()[0].looks, 100 * 3 + 50) << "views of training pictures alone";
  EXPECT_TRUE(plan(base_text).cuts().empty());
}

// Whatever comes first.
TEST_F(DataInspectorTest, TrialsWhoseMethodFindsNothingToTrainAreImpossible) {
  const std::vector<std::string> lora = {"peft=lora", "encoder=clip", "captioner=attributes"};
  for (const std::string fuse : {"[image, text]", "[text, image]"}) {
    const Plan made =
        plan(base_text + "sweep:\n  - grid: {nodes.fuse: " + fuse + ", seed: [1, 2]}\n", lora);
    int impossible = 0;
    for (std::size_t i = 0; i < made.trials().size(); ++i) {
      const PlannedTrial& trial = made.trials()[i];
      const bool text = made.config(i).at("nodes").at("fuse") == "text";
      EXPECT_EQ(trial.state, text ? TrialState::impossible : TrialState::planned) << fuse << i;
      if (text) {
        ++impossible;
        EXPECT_EQ(made.reasons()[trial.reason],
                  "peft/lora has nothing to train in what is looked at of encoder/clip, its text "
                  "tower");
      }
    }
    EXPECT_EQ(impossible, 2);
  }
  EXPECT_THAT(
      message(base_text, {"peft=lora", "encoder=clip", "captioner=attributes", "nodes.fuse=text"}),
      AllOf(HasSubstr("no trial of the experiment can run"), HasSubstr("nothing to train")));
}

TEST_F(DataInspectorTest, WhatWasLeftOutOfADatasetIsAWarningOnce) {
  fake_.warnings = {"dataset/flora: a folder is left out"};
  const Plan made = plan(base_text + "sweep:\n  - grid: {dataset.classes: [20, 30]}\n");
  EXPECT_THAT(made.warnings(), ElementsAre("dataset/flora: a folder is left out"));
}

TEST_F(DataInspectorTest, WhatMethodsWarnOfIsSaidOnce) {
  fake_.method_warnings = {"peft/lora: another base"};
  const Plan made =
      plan(base_text + "sweep:\n  - grid: {peft.rank: [2, 4]}\n", {"peft=lora", "encoder=clip"});
  EXPECT_EQ(fake_.asked["cuts"], 2);
  EXPECT_THAT(made.warnings(), ElementsAre("peft/lora: another base"));
}

TEST_F(DataInspectorTest, WhatAMethodCannotTrainIsAMistakeOfItsSection) {
  EXPECT_THAT(message(base_text, {"peft=lora", "encoder=clip", "head.use=prompts"}),
              AllOf(HasSubstr("tower e"), HasSubstr("e.yaml")));
}

}  // namespace
}  // namespace espalier
