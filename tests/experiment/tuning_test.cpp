// Candidates of `tune`: what a plan makes of them.
#include "experiment/tuning.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "experiment/support.hpp"

namespace espalier {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing_support::base_text;
using testing_support::states;

// A dataset with as many validation photos as it has classes above 20.
class ValidationInspector final : public DataInspector {
 public:
  DataFacts facts(const InspectedSection&) override { return {}; }
  SplitSizes check_protocol(const InspectedSection& dataset, const InspectedSection&) override {
    const auto val = dataset.resolved->at("classes").get<std::int64_t>() - 20;
    return {.train = 10, .val = val, .others = val + 10};
  }
  void check_head(const InspectedSection&, const InspectedSection&) override {}
  void check_captions(const InspectedSection&, const InspectedSection&) override {}
  MethodCuts cuts(const InspectedSection&, const InspectedSection&,
                  const std::vector<std::string>&) override {
    return {};
  }
  SizeSearch fit(const InspectedSection&, const InspectedSection&, const InspectedSection&,
                 const std::vector<std::string>&, const SizeQuestion&) override {
    return {};
  }
};

const std::string tuned_yaml =
    base_text + "  tune: {train.lr: [1e-4, 1e-2], train.epochs: [5, 10, 20]}\n";

class TuningTest : public testing_support::Experiment {
 protected:
  [[nodiscard]] std::vector<Json> candidates(const std::vector<std::string>& overrides = {}) const {
    return tune_candidates(plan(tuned_yaml, overrides).config(0).at("tune"));
  }
};

TEST_F(TuningTest, CandidatesAreTheGrid) {
  EXPECT_THAT(candidates(),
              ElementsAre(Json{{"epochs", 5}, {"lr", 1e-4}}, Json{{"epochs", 5}, {"lr", 1e-2}},
                          Json{{"epochs", 10}, {"lr", 1e-4}}, Json{{"epochs", 10}, {"lr", 1e-2}},
                          Json{{"epochs", 20}, {"lr", 1e-4}}, Json{{"epochs", 20}, {"lr", 1e-2}}));
  EXPECT_THAT(candidates({"~tune"}), ElementsAre());
}

TEST_F(TuningTest, ABudgetOfTrialsIsTheSameForAllMethods) {
  const Plan made = plan(tuned_yaml, {"+tune.trials=4", "gnn=gcn,gin", "seed=1,2"});
  ASSERT_THAT(states(made), ElementsAre(4, 0, 0, 0));
  const auto first = tune_candidates(made.config(0).at("tune"));
  EXPECT_EQ(first.size(), 4u);
  for (std::size_t i = 1; i < 4; ++i) {
    EXPECT_EQ(tune_candidates(made.config(i).at("tune")), first);
  }
  const auto all = candidates();
  for (const Json& one : first) EXPECT_THAT(all, testing::Contains(one));
  EXPECT_EQ(id(tuned_yaml, {"+tune.trials=6"}), id(tuned_yaml)) << "which leaves none out";
}

TEST_F(TuningTest, WhatIsChosenIsNotWhatTrainSays) {
  EXPECT_EQ(id(tuned_yaml, {"train.lr=0.5"}), id(tuned_yaml));
  EXPECT_NE(id(tuned_yaml, {"train.weight_decay=0.5"}), id(tuned_yaml));
  EXPECT_NE(id(tuned_yaml), id(base_text));
  EXPECT_EQ(plan(tuned_yaml, {"train.lr=0.5"}).config(0).at("train").at("lr"), 1e-4);
  const Plan swept = plan(tuned_yaml, {"train.lr=0.1,0.2"});
  EXPECT_THAT(states(swept), ElementsAre(1, 1, 0, 0));
}

// Names of trials without `tune` are what they were before there was one.
TEST_F(TuningTest, IsNoPartOfTrialsWithoutIt) {
  const Plan made = plan(base_text);
  EXPECT_FALSE(made.identity(0).contains("tune"));
  const Plan zero_shot = plan(tuned_yaml, {"encoder=clip", "head.use=zero_shot"});
  EXPECT_FALSE(zero_shot.identity(0).contains("tune")) << "nothing is trained";
}

TEST_F(TuningTest, MayBeAnAxis) {
  const Plan made = plan(base_text, {"+tune.train.lr=[0.1],[0.1,0.2]"});
  EXPECT_THAT(states(made), ElementsAre(2, 0, 0, 0));
}

TEST_F(TuningTest, MistakesAreSaid) {
  EXPECT_THAT(message(base_text + "  tune: {train.momentum: [0.1]}\n"),
              AllOf(HasSubstr("unknown key \"tune.train.momentum\""), HasSubstr("train.lr"),
                    HasSubstr("e.yaml:7")));
  EXPECT_THAT(message(base_text + "  tune: {train.lr: 0.1}\n"), HasSubstr("a list, each number"));
  EXPECT_THAT(message(base_text + "  tune: {train.lr: [0.1, -1]}\n"),
              HasSubstr("a list, each number > 0"));
  EXPECT_THAT(message(base_text + "  tune: {train.lr: [0.1, 0.2, 0.1]}\n"),
              AllOf(HasSubstr("\"tune.train.lr\" has a value twice"), HasSubstr("0.1")));
  std::string many = base_text + "  tune: {train.epochs: [0";
  for (int i = 1; i < 1001; ++i) many += "," + std::to_string(i);
  EXPECT_THAT(message(many + "]}\n"), HasSubstr("too many combinations"));
}

TEST(TrialCandidates, AreAllThresholdsWithAllOfTune) {
  const Json config = {
      {"graph",
       {{"use", "threshold"}, {"tau", 0.7}, {"tau_from", "validation"}, {"taus", {0.5, 0.9}}}},
      {"train", {{"lr", 1.0}, {"epochs", 9}}},
      {"tune", {{"trials", 0}, {"candidates", 2}, {"train.lr", {0.1, 0.2}}}}};
  const auto both = [](double tau, double lr) {
    return Json{{"graph.tau", tau}, {"train.lr", lr}};
  };
  EXPECT_THAT(trial_candidates(config, true, true),
              ElementsAre(both(0.5, 0.1), both(0.5, 0.2), both(0.9, 0.1), both(0.9, 0.2)));
  EXPECT_THAT(trial_candidates(config, true, false),
              ElementsAre(Json{{"graph.tau", 0.5}}, Json{{"graph.tau", 0.9}}));
  EXPECT_THAT(trial_candidates(config, false, true),
              ElementsAre(Json{{"train.lr", 0.1}}, Json{{"train.lr", 0.2}}));
  EXPECT_THAT(trial_candidates(config, false, false), testing::IsEmpty());
  const Json chosen = with_candidate(config, both(0.9, 0.2));
  EXPECT_THAT(trial_candidates(chosen, true, true), testing::IsEmpty());
  EXPECT_EQ(chosen.at("graph").at("tau"), 0.9);
  EXPECT_EQ(chosen.at("graph").at("tau_from"), "value");
  EXPECT_EQ(chosen.at("train"), (Json{{"lr", 0.2}, {"epochs", 9}}));
}

TEST_F(TuningTest, ADatasetWithoutValidationPhotosIsNamed) {
  ValidationInspector inspector;
  inspector_ = &inspector;
  EXPECT_THAT(message(tuned_yaml, {"dataset.classes=20"}),
              AllOf(HasSubstr("tune chooses by validation photos"), HasSubstr("dataset/flora"),
                    HasSubstr("protocol.val_fraction"), HasSubstr("e.yaml:7")));
  EXPECT_THAT(states(plan(tuned_yaml, {"dataset.classes=21"})), ElementsAre(1, 0, 0, 0));
  EXPECT_THAT(states(plan(base_text, {"dataset.classes=20"})), ElementsAre(1, 0, 0, 0));
}

}  // namespace
}  // namespace espalier
