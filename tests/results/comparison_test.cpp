#include "results/comparison.hpp"

#include <gmock/gmock.h>

#include "results/comparison_formats.hpp"
#include <espalier/core/error.hpp>

#include "results/comparison_support.hpp"

namespace espalier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

TEST_F(ComparisonTest, PairsAreThoseOfScipy) {
  const AxisComparison comparison = compare({ten_seeds()}, {.by = {"peft.use"}, .against = "none"});
  ASSERT_EQ(comparison.groups.size(), 1u);
  const ComparedGroup& group = comparison.groups[0];
  ASSERT_EQ(group.rows.size(), 2u);
  EXPECT_THAT(group.rows[0].values, ElementsAre("lora"));
  EXPECT_EQ(group.rows[0].metric.n, 10);
  EXPECT_EQ(group.rows[1].parameters, 0);
  ASSERT_EQ(group.differences.size(), 1u);
  const Difference& difference = group.differences[0];
  EXPECT_EQ(difference.pairs, 10);
  EXPECT_NEAR(100 * difference.spread.mean, 0.7669999999999988, 1e-11);
  EXPECT_NEAR(100 * difference.spread.ci_lo, 0.08370162479405796, 1e-9);
  EXPECT_NEAR(100 * difference.spread.ci_hi, 1.4502983752059397, 1e-9);
  EXPECT_DOUBLE_EQ(difference.test.p, 0.03125);
  EXPECT_DOUBLE_EQ(difference.holm, 0.03125);
  EXPECT_DOUBLE_EQ(difference.smallest, 0.001953125);
  EXPECT_THAT(comparison_text(comparison), testing::ContainsRegex("lora +10 +\\+0.77 .*differs"));
}

TEST_F(ComparisonTest, TheFrontHoldsWhatNothingDominates) {
  const AxisComparison comparison = compare({sweep_named("f", {{peft("a"), 0, 0.9, 900},
                                                               {peft("b"), 0, 0.8, 100},
                                                               {peft("c"), 0, 0.7, 200},
                                                               {peft("d"), 0, 0.8, 100},
                                                               {peft("e"), 0, 0.5, 0}})},
                                            {.by = {"peft.use"}});
  std::vector<std::string> front;
  for (const ComparedRow& row : comparison.groups[0].rows) {
    if (row.front) front.push_back(row.label);
  }
  EXPECT_THAT(front, ElementsAre("a", "b", "d", "e"));
  EXPECT_THAT(comparison_text(comparison), HasSubstr("• Pareto front"));
}

TEST_F(ComparisonTest, LossesAreBetterWhenSmaller) {
  SweepTable sweep = ten_seeds();
  for (std::size_t i = 0; i < 20; ++i) sweep.records[i].result.test_loss = i % 2 == 0 ? 1 : 2;
  const AxisComparison comparison =
      compare({std::move(sweep)}, {.by = {"peft.use"}, .metric = "test_loss"});
  EXPECT_EQ(comparison.groups[0].rows[0].label, "none");
  EXPECT_FALSE(comparison.groups[0].rows[1].front);
  EXPECT_THAT(comparison_text(comparison), HasSubstr("smaller is better"));
}

TEST_F(ComparisonTest, TooFewPairsClaimNothingAndSayWhy) {
  std::vector<Measured> measured;
  for (std::int64_t seed = 0; seed < 3; ++seed) {
    measured.push_back({peft("none"), seed, 0.5 + 0.01 * static_cast<double>(seed)});
    measured.push_back({peft("lora"), seed, 0.9});
  }
  const std::string text =
      comparison_text(compare({sweep_named("few", measured)}, {.by = {"peft.use"}}));
  EXPECT_THAT(text, HasSubstr("3 pairs can show no p below 0.25"));
  EXPECT_THAT(text, HasSubstr("none possible"));
  EXPECT_THAT(text, Not(HasSubstr("differs")));
}

TEST_F(ComparisonTest, WhatHasNoPartnerIsCountedAndNamed) {
  std::vector<Measured> measured;
  for (std::int64_t seed = 0; seed < 6; ++seed) measured.push_back({peft("none"), seed, 0.5});
  for (std::int64_t seed = 2; seed < 9; ++seed) measured.push_back({peft("lora"), seed, 0.6});
  const AxisComparison comparison = compare({sweep_named("u", measured)}, {.by = {"peft.use"}});
  const Difference& difference = comparison.groups[0].differences[0];
  EXPECT_EQ(difference.pairs, 4);
  EXPECT_EQ(difference.unpaired.size(), 5u);
  EXPECT_THAT(comparison_text(comparison),
              HasSubstr("none: 5 trials without a partner: made: seed=0 (u0); "));
}

TEST_F(ComparisonTest, OtherSettingsPairOnlyWhereTheyAreEqualAndSeedsCount) {
  std::vector<Measured> measured;
  for (std::int64_t seed = 0; seed < 6; ++seed) {
    for (const double rate : {0.1, 0.2}) {
      const auto trial = [&](const char* use, double top1) {
        Json config = peft(use);
        config["train"]["lr"] = rate;
        measured.push_back({config, seed, top1 + rate});
      };
      trial("none", 0.5);
      trial("lora", 0.6);
    }
  }
  const AxisComparison comparison = compare({sweep_named("r", measured)}, {.by = {"peft.use"}});
  const ComparedGroup& group = comparison.groups[0];
  EXPECT_EQ(group.over, "train.lr (0.1, 0.2)");
  EXPECT_EQ(group.differences[0].pairs, 12);
  EXPECT_EQ(group.differences[0].spread.n, 6);
  EXPECT_DOUBLE_EQ(group.differences[0].smallest, 0.03125);
  EXPECT_THAT(comparison_text(comparison), HasSubstr("averaged first"));
}

TEST_F(ComparisonTest, NoPairAtAllSaysWhatKeepsThemApart) {
  Json slow = peft("none");
  slow["train"]["lr"] = 0.1;
  Json fast = peft("lora");
  fast["train"]["lr"] = 0.2;
  const std::string text = comparison_text(
      compare({sweep_named("n", {{slow, 0, 0.5}, {fast, 0, 0.6}})}, {.by = {"peft.use"}}));
  EXPECT_THAT(text, HasSubstr("none makes no pair with lora: they differ in train.lr (0.1, 0.2)"));
}

TEST_F(ComparisonTest, DatasetsAndProtocolsAreNotMixed) {
  const auto on = [](const char* use, const char* dataset) {
    Json config = peft(use);
    config["dataset"]["use"] = dataset;
    return config;
  };
  const AxisComparison comparison = compare({sweep_named("d", {{on("none", "pets"), 0, 0.5},
                                                               {on("lora", "pets"), 0, 0.6},
                                                               {on("none", "food"), 0, 0.2},
                                                               {on("lora", "food"), 0, 0.1}})},
                                            {.by = {"peft.use"}});
  ASSERT_EQ(comparison.groups.size(), 2u);
  EXPECT_EQ(comparison.groups[0].name, "dataset.use=food");
  EXPECT_EQ(comparison.groups[0].rows[0].label, "none");
  EXPECT_EQ(comparison.groups[1].rows[0].label, "lora");

  const std::string lacking =
      comparison_text(compare({sweep_named("l", {{on("none", "pets"), 0, 0.5},
                                                 {on("lora", "pets"), 0, 0.6},
                                                 {on("none", "food"), 0, 0.2},
                                                 {on("dora", "food"), 0, 0.1}})},
                              {.by = {"peft.use"}, .against = "lora"}));
  EXPECT_THAT(lacking, HasSubstr("the row to compare against is not among these"));

  const AxisComparison across =
      compare({sweep_named("x", {{on("none", "pets"), 0, 0.5}, {on("none", "food"), 0, 0.6}})},
              {.by = {"dataset.use"}});
  EXPECT_TRUE(across.groups[0].differences.empty());
  EXPECT_THAT(comparison_text(across), HasSubstr("changes the test images"));
}

TEST_F(ComparisonTest, OtherBuildsOfWhatIsSharedMakeNoPair) {
  const auto built = [](const char* use, const char* encoder, const char* method) {
    Json config = peft(use);
    config["encoder"]["use"] = "clip";
    return Measured{
        config, 0, 0.5, 1, {{"encoder/clip", encoder}, {std::string("peft/") + use, method}}};
  };
  const SweepTable same = sweep_named("s", {built("none", "e1", "n1"), built("lora", "e1", "l1")});
  EXPECT_EQ(compare({same}, {.by = {"peft.use"}}).groups[0].differences[0].pairs, 1);
  const SweepTable other = sweep_named("o", {built("none", "e1", "n1"), built("lora", "e2", "l1")});
  const AxisComparison comparison = compare({other}, {.by = {"peft.use"}});
  EXPECT_EQ(comparison.groups[0].differences[0].pairs, 0);
  EXPECT_TRUE(comparison.groups[0].rows[0].mixed);
  EXPECT_THAT(comparison_text(comparison), HasSubstr("* made by different builds"));
}

TEST_F(ComparisonTest, OtherBytesOfTheDataMakeNoPair) {
  const auto on = [](const char* use, const char* key) {
    return Measured{peft(use), 0, 0.5, 1, Json::object(), {{"image_features", key}}};
  };
  const auto pairs = [&](const char* key) {
    return compare({sweep_named(key, {on("none", "k1"), on("lora", key)})}, {.by = {"peft.use"}})
        .groups[0]
        .differences[0]
        .pairs;
  };
  EXPECT_EQ(pairs("k1"), 1);
  EXPECT_EQ(pairs("k2"), 0);
}

TEST_F(ComparisonTest, ManyComparisonsOfFewSeedsClaimNothing) {
  std::vector<Measured> measured;
  for (std::int64_t seed = 0; seed < 6; ++seed) {
    measured.push_back({peft("none"), seed, 0.9});
    measured.push_back({peft("lora"), seed, 0.8});
    measured.push_back({peft("dora"), seed, 0.7});
  }
  const AxisComparison comparison = compare({sweep_named("m", measured)}, {.by = {"peft.use"}});
  EXPECT_DOUBLE_EQ(comparison.groups[0].smallest_holm, 0.0625);
  EXPECT_THAT(comparison_text(comparison),
              testing::AllOf(HasSubstr("Holm's p cannot fall below 0.0625"),
                             Not(HasSubstr("not shown")), Not(HasSubstr("differs"))));
}

TEST_F(ComparisonTest, EqualSettingsThatNothingTellsApartAreRefused) {
  EXPECT_THAT(refusal({sweep_named("v", {{peft("none"), 0, 0.5}, {peft("lora"), 0, 0.5}}),
                       sweep_named("w", {{peft("none"), 0, 0.5}})},
                      {.by = {"peft.use"}}),
              HasSubstr("the same settings in made: seed=0 (v0) and made: seed=0 (w0)"));
}

TEST_F(ComparisonTest, ComponentsAreNamedByWhatTellsThemApart) {
  const auto lora = [](int rank) {
    return Json{{"peft", {{"use", "lora"}, {"r", rank}, {"alpha", 16}}}};
  };
  const std::vector<SweepTable> sweeps{
      sweep_named("c", {{lora(4), 0, 0.5}, {lora(8), 0, 0.6}, {peft("none"), 0, 0.4}})};
  const AxisComparison whole = compare(sweeps, {.by = {"peft"}});
  EXPECT_EQ(whole.groups[0].rows[0].label, "lora(r=8)");
  EXPECT_EQ(whole.groups[0].rows[2].label, "none");
  EXPECT_EQ(whole.groups[0].differences[0].pairs, 1);
  const AxisComparison two = compare(sweeps, {.by = {"peft.use", "peft.r"}});
  EXPECT_THAT(two.groups[0].rows[1].values, ElementsAre("lora", "4"));
  EXPECT_THAT(two.groups[0].rows[2].values, ElementsAre("none", "-"));
  EXPECT_THAT(refusal(sweeps, {.by = {"peft.use"}}),
              testing::AllOf(HasSubstr("several trials stand behind one row"),
                             HasSubstr("add what differs to --by: peft.r")));
}

TEST_F(ComparisonTest, ATrialThatIsThereTwiceCountsOnceAndTheUnfinishedAreNamed) {
  SweepTable one = ten_seeds();
  SweepTable same = one;
  one.records[0].status = TrialStatus::failed;
  one.records[1].status = TrialStatus::stopped;
  const AxisComparison comparison =
      compare({std::move(one), std::move(same)}, {.by = {"peft.use"}});
  EXPECT_EQ(comparison.groups[0].differences[0].pairs, 10);
  EXPECT_THAT(
      comparison_text(comparison),
      testing::AllOf(HasSubstr("left out: 1 trial failed: made: seed=0 (ten0)"),
                     HasSubstr("1 trial not finished"), HasSubstr("18 trials there twice")));
}

TEST_F(ComparisonTest, WhereNothingIsTrainedTheMethodIsNone) {
  Json zero_shot = peft("lora");
  zero_shot["head"]["use"] = "zero_shot";
  const AxisComparison comparison = compare(
      {sweep_named("z", {{zero_shot, 0, 0.9}, {peft("lora"), 0, 0.6}, {peft("none"), 0, 0.5}})},
      {.by = {"peft.use"}});
  EXPECT_EQ(comparison.groups[0].rows[0].metric.mean, 0.6);
  EXPECT_THAT(comparison_text(comparison),
              HasSubstr("left out: 1 trial without peft.use: made: seed=0 (z0)"));
}

TEST_F(ComparisonTest, AnotherValueOfATrialThatIsThereTwiceIsSaid) {
  SweepTable other = ten_seeds();
  other.records[3].result.test_top1 = 0.1;
  EXPECT_THAT(comparison_text(compare({ten_seeds(), other}, {.by = {"peft.use"}})),
              HasSubstr("left out: 1 trial there twice with other numbers: made: seed=1 (ten3)"));
}

TEST_F(ComparisonTest, RefusesWhatCannotBeCompared) {
  const std::vector<SweepTable> sweeps{ten_seeds()};
  EXPECT_THAT(refusal(sweeps, {.by = {"peft.us"}}), HasSubstr("did you mean \"peft.use\"?"));
  EXPECT_THAT(refusal(sweeps, {.by = {"seed"}}), HasSubstr("seeds are what is paired"));
  EXPECT_THAT(refusal(sweeps, {.by = {"graph.tau"}}), HasSubstr("nothing to compare"));
  EXPECT_THAT(refusal(sweeps, {.by = {"peft.use"}, .metric = "top1"}),
              HasSubstr("one of val_top1, test_top1"));
  EXPECT_THAT(refusal(sweeps, {.by = {"peft.use"}, .against = "lorra"}),
              HasSubstr("did you mean \"lora\"?"));
  SweepTable unfinished = ten_seeds();
  for (TrialRecord& record : unfinished.records) record.status = TrialStatus::stopped;
  EXPECT_THAT(refusal({unfinished}, {.by = {"peft.use"}}),
              testing::AllOf(HasSubstr("no trial is finished"), HasSubstr("20 not finished")));
}

}  // namespace
}  // namespace espalier
