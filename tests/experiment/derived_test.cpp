// Settings that follow from another section: what a method was published with, and what a budget
// makes of its size.
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
using testing_support::base_text;
using testing_support::component;
using testing_support::components;
using testing_support::integer;
using testing_support::states;

// A method trains ten numbers for each unit of its size, and at least 40; one without a size 300.
class FittingInspector final : public DataInspector {
 public:
  DataFacts facts(const InspectedSection&) override { return {}; }
  SplitSizes check_protocol(const InspectedSection&, const InspectedSection&) override {
    return {.train = 10, .others = 10};
  }
  void check_head(const InspectedSection&, const InspectedSection&) override {}
  void check_captions(const InspectedSection&, const InspectedSection&) override {}
  MethodCuts cuts(const InspectedSection&, const InspectedSection&,
                  const std::vector<std::string>&) override {
    return {};
  }
  SizeSearch fit(const InspectedSection&, const InspectedSection& peft, const InspectedSection&,
                 const std::vector<std::string>& towers, const SizeQuestion& question) override {
    ++asked;
    looked_at = towers;
    values = question.values;
    if (peft.resolved->at("use") == "unknown") return {};
    MethodSize smallest{.value = 0, .trainable = 300};
    MethodSize found = smallest;
    if (!question.key.empty()) {
      smallest = {.value = question.values.front(), .trainable = 10 * question.values.front()};
      found = {.value = question.trainable / 10, .trainable = question.trainable / 10 * 10};
    }
    SizeSearch search{.found = {}, .smallest = smallest};
    if (smallest.trainable <= question.trainable) search.found = found;
    return search;
  }

  int asked = 0;
  std::vector<std::string> looked_at;
  std::vector<std::int64_t> values;
};

std::vector<ComponentInfo> with_presets_and_sizes() {
  std::vector<ComponentInfo> all = components();
  FieldInfo rank = integer("rank", 8, 1, 1024);
  rank.sizes = 1;
  ComponentInfo sized =
      component("peft", "sized", {"needs_sites"}, {rank, integer("least", 4, 1, 9)});
  sized.schema.checks = {{"rank >= least", "the rank is less than the least"}};
  sized.schema.presets = {
      {"paper", {{"lr", 0.5}, {"optimizer", "sgd"}, {"epochs", 7}}, "A. Uthor"}};
  all.push_back(sized);
  all.push_back(component("peft", "fixed", {"needs_sites"}));
  all.push_back(component("peft", "unknown", {"needs_sites"}));
  ComponentInfo wrong = component("peft", "wrong", {"needs_sites"});
  wrong.schema.presets = {{"paper", {{"learning_rate", 0.5}}, "A. Uthor"}};
  all.push_back(wrong);
  return all;
}

class DerivedSettingsTest : public testing_support::Experiment {
 protected:
  DerivedSettingsTest() { inspector_ = &inspector; }

  [[nodiscard]] Plan planned(std::vector<std::string> overrides) const {
    overrides.insert(overrides.begin(), {"encoder=clip", "captioner=attributes"});
    return plan(base_text, overrides, with_presets_and_sizes());
  }

  FittingInspector inspector;
};

TEST_F(DerivedSettingsTest, APresetFillsInWhatIsNotGiven) {
  const Plan made = planned({"peft=sized", "train.preset=paper", "train.epochs=3"});
  const Json train = made.config(0).at("train");
  EXPECT_EQ(train.at("lr"), 0.5);
  EXPECT_EQ(train.at("optimizer"), "sgd");
  EXPECT_EQ(train.at("epochs"), 3) << "which is given";
  EXPECT_EQ(train.at("from_preset"), Json({"lr", "optimizer"}));
  const Json identity = made.identity(0).at("train");
  EXPECT_EQ(identity.at("lr"), 0.5);
  EXPECT_EQ(identity.at("preset"), "paper") << "so that tables can say so";
  EXPECT_FALSE(identity.contains("from_preset"));
}

TEST_F(DerivedSettingsTest, APresetIsOfTheMethodAndNothingWithoutOne) {
  const Plan made = planned({"peft.use=sized,fixed,none", "train.preset=paper"});
  EXPECT_THAT(states(made), ElementsAre(2, 0, 0, 1));
  EXPECT_THAT(reason(made, 1), AllOf(HasSubstr("train.preset: paper"), HasSubstr("peft/fixed")));
  EXPECT_EQ(made.config(2).at("train").at("lr"), 1e-3) << "nothing is trained in the encoder";
  try {
    (void)planned({"peft=wrong", "train.preset=paper"});
    ADD_FAILURE() << "a preset of an unknown key was taken";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("unknown key \"train.learning_rate\""));
  }
}

TEST_F(DerivedSettingsTest, ABudgetSetsTheSize) {
  const Plan made = planned({"peft=sized", "budget.trainable=1k,125", "seed=1,2"});
  EXPECT_THAT(states(made), ElementsAre(4, 0, 0, 0));
  EXPECT_EQ(made.config(0).at("peft").at("rank"), 100);
  EXPECT_EQ(made.config(2).at("peft").at("rank"), 12);
  EXPECT_EQ(made.identity(0).at("budget").at("trainable"), 1000);
  EXPECT_EQ(inspector.asked, 2) << "once for all seeds";
  EXPECT_EQ(inspector.values.front(), 4) << "smaller ones break a rule of the method";
  EXPECT_EQ(inspector.values.back(), 1024);
  EXPECT_THAT(inspector.looked_at, ElementsAre("image"));
  ASSERT_EQ(made.sizes().size(), 2u);
  EXPECT_EQ(made.sizes()[1].key, "rank");
  EXPECT_EQ(made.sizes()[1].value, 12);
  EXPECT_EQ(made.sizes()[1].trainable, 120);
}

TEST_F(DerivedSettingsTest, ABudgetBelowTheSmallestIsRefusedAndNamesIt) {
  const Plan made = planned({"peft.use=sized,fixed,unknown", "budget.trainable=39,300"});
  EXPECT_THAT(states(made), ElementsAre(2, 0, 0, 4));
  EXPECT_THAT(reason(made, 0), AllOf(HasSubstr("budget.trainable: 39 is less than 40"),
                                     HasSubstr("peft/sized"), HasSubstr("rank: 4")));
  EXPECT_THAT(reason(made, 2), HasSubstr("less than 300, what peft/fixed trains at least"));
  EXPECT_THAT(reason(made, 4), HasSubstr("only when features are there"));
  EXPECT_TRUE(made.sizes()[1].key.empty()) << "fits as it is";
}

TEST_F(DerivedSettingsTest, WithoutABudgetNothingIsAsked) {
  const Plan made = planned({"peft=sized"});
  EXPECT_EQ(inspector.asked, 0);
  EXPECT_FALSE(made.identity(0).contains("budget"));
  EXPECT_EQ(hex(made.trials()[0].trial_id),
            hex(planned({"peft=sized", "budget.trainable=0"}).trials()[0].trial_id));
}

}  // namespace
}  // namespace espalier
