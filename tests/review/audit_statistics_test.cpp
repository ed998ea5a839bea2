// Against SciPy and scikit-learn (tools/captions/audit_statistics.py). Both compute in double
// precision by other routines for the same quantiles, which agree to about 1e-12.
#include "review/audit_statistics.hpp"

#include <gtest/gtest.h>

#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>

namespace espalier {
namespace {

Json recorded_statistics() {
  const std::string file = ESPALIER_SOURCE_DIR "/tests/data/review/statistics.json";
  return parse_json(read_file(file), file);
}

TEST(Share, IsSciPys) {
  int compared = 0;
  const Json record = recorded_statistics();
  for (const Json& one : record.at("shares")) {
    const std::int64_t k = one.at("wrong"), n = one.at("looked_at");
    const double level = one.at("level");
    const Share score = wilson(k, n, level), exact = clopper_pearson(k, n, level);
    EXPECT_NEAR(score.low, one.at("wilson")[0].get<double>(), 1e-10) << one.dump();
    EXPECT_NEAR(score.high, one.at("wilson")[1].get<double>(), 1e-10) << one.dump();
    EXPECT_NEAR(exact.low, one.at("clopper_pearson")[0].get<double>(), 1e-10) << one.dump();
    EXPECT_NEAR(exact.high, one.at("clopper_pearson")[1].get<double>(), 1e-10) << one.dump();
    EXPECT_NEAR(at_most(k, n, level), one.at("at_most").get<double>(), 1e-10) << one.dump();
    ++compared;
  }
  EXPECT_EQ(compared, 36);
}

TEST(Share, OfNothingIsAnything) {
  EXPECT_EQ(wilson(0, 0).low, 0.0);
  EXPECT_EQ(wilson(0, 0).high, 1.0);
  EXPECT_EQ(clopper_pearson(0, 0).high, 1.0);
  EXPECT_EQ(at_most(0, 0), 1.0);
}

TEST(LooksNeeded, IsTheLeastThatMakesTheIntervalSoNarrow) {
  const Json record = recorded_statistics();
  ASSERT_EQ(record.at("looks").size(), 25u);
  for (const Json& one : record.at("looks")) {
    EXPECT_EQ(looks_needed(one.at("rate"), one.at("half_width"), 0),
              one.at("looks").get<std::int64_t>())
        << one.dump();
  }
}

TEST(LooksNeeded, NeverExceedsTheSet) {
  EXPECT_EQ(looks_needed(0.5, 0.05, 2944), 338);  // 381 / (1 + 380 / 2944) = 337.4
  EXPECT_EQ(looks_needed(0.5, 0.001, 200), 200);
}

// By hand: W = 0.2 and 0.8, p = 5/10 and 1/20;
// variance .04 * .25 / 10 * (1 - 10/200) + .64 * .0475 / 20 * (1 - 20/800) = .0024320.
TEST(Stratified, WeighsStrataByTheirSize) {
  const std::vector<Stratum> strata = {{"flagged", 200, 10, 5}, {"not", 800, 20, 1}};
  const auto share = stratified(strata);
  ASSERT_TRUE(share.has_value());
  EXPECT_NEAR(share->estimate, 0.14, 1e-12);
  EXPECT_NEAR(share->high - share->estimate, 1.959963984540054 * 0.04931531, 1e-7);
  EXPECT_NEAR(share->low, 0.14 - 1.959963984540054 * 0.04931531, 1e-7);
}

TEST(Stratified, SaysNothingOfAStratumThatNobodyLookedAt) {
  const std::vector<Stratum> strata = {{"flagged", 200, 0, 0}, {"not", 800, 20, 1}};
  EXPECT_FALSE(stratified(strata).has_value());
  EXPECT_FALSE(stratified({}).has_value());
  const std::vector<Stratum> empty_one = {{"flagged", 0, 0, 0}, {"not", 800, 20, 0}};
  ASSERT_TRUE(stratified(empty_one).has_value());
  EXPECT_EQ(stratified(empty_one)->estimate, 0.0);
  EXPECT_GT(stratified(empty_one)->high, 0.01);
}

TEST(Agreement, IsScikitLearnsKappaAndKrippendorffsAlpha) {
  const Json record = recorded_statistics();
  ASSERT_EQ(record.at("reviewers").size(), 4u);
  for (const Json& one : record.at("reviewers")) {
    const Verdicts verdicts = one.at("verdicts");
    EXPECT_NEAR(agreement(verdicts).alpha, one.at("alpha").get<double>(), 1e-12);
    if (one.at("kappa").is_null()) continue;
    std::vector<std::pair<int, int>> pairs;
    for (const auto& pair : verdicts) pairs.emplace_back(pair[0], pair[1]);
    EXPECT_NEAR(cohen_kappa(pairs).kappa, one.at("kappa").get<double>(), 1e-12);
  }
  EXPECT_NEAR(agreement(record.at("reviewers")[3].at("verdicts")).alpha, 0.743, 5e-4);
}

TEST(Agreement, CountsPairs) {
  // 20 both say 0, 15 both 1, 5 and 10 differ: po 0.7, pe 0.5, kappa 0.4.
  Verdicts verdicts;
  std::vector<std::pair<int, int>> pairs;
  for (const auto& [a, b, count] : {std::tuple{0, 0, 20}, {0, 1, 5}, {1, 0, 10}, {1, 1, 15}}) {
    for (int i = 0; i < count; ++i) {
      verdicts.push_back({a, b});
      pairs.emplace_back(a, b);
    }
  }
  verdicts.push_back({1});
  EXPECT_EQ(agreement(verdicts).captions, 50);
  EXPECT_NEAR(agreement(verdicts).observed, 0.7, 1e-12);
  EXPECT_NEAR(cohen_kappa(pairs).observed, 0.7, 1e-12);
  EXPECT_NEAR(cohen_kappa(pairs).expected, 0.5, 1e-12);
  EXPECT_NEAR(cohen_kappa(pairs).kappa, 0.4, 1e-12);
  EXPECT_EQ(agreement({{1, 1}, {1, 1}}).alpha, 1.0);
}

TEST(Auc, IsScikitLearns) {
  const Json record = recorded_statistics();
  ASSERT_EQ(record.at("aucs").size(), 4u);
  for (const Json& one : record.at("aucs")) {
    const std::vector<double> wrong = one.at("wrong"), right = one.at("right");
    const auto found = auc(wrong, right);
    ASSERT_TRUE(found.has_value());
    EXPECT_NEAR(*found, one.at("auc").get<double>(), 1e-12);
  }
}

TEST(Auc, NeedsBoth) {
  const std::vector<double> some = {1.0};
  EXPECT_FALSE(auc(some, {}).has_value());
  EXPECT_FALSE(auc({}, some).has_value());
  // Of six pairs three in order and one a tie.
  const std::vector<double> wrong = {1, 2, 5}, right = {2, 4};
  EXPECT_NEAR(*auc(wrong, right), 3.5 / 6, 1e-12);
}

}  // namespace
}  // namespace espalier
