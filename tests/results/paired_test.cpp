#include "results/paired.hpp"

#include <gtest/gtest.h>

#include "results/statistics.hpp"
#include <cmath>
#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <numeric>

namespace espalier {
namespace {

// Reference: scipy.stats.ttest_rel and permutation_test, statsmodels' multipletests.
Json statistics_reference() {
  const std::string file = ESPALIER_SOURCE_DIR "/tests/data/metrics/statistics.json";
  return parse_json(read_file(file), file);
}

std::vector<double> pair_differences(const Json& a, const Json& b) {
  std::vector<double> differences;
  for (std::size_t i = 0; i < a.size(); ++i) {
    differences.push_back(b[i].get<double>() - a[i].get<double>());
  }
  return differences;
}

TEST(Paired, IntervalAndSignFlipAgreeWithScipy) {
  const Json reference = statistics_reference();
  for (const auto& [n, pairs] : reference.at("paired").items()) {
    const std::vector<double> differences = pair_differences(pairs["a"], pairs["b"]);
    const Spread spread = spread_of(differences);
    EXPECT_NEAR(spread.mean, pairs["mean_difference"].get<double>(), 1e-12) << n;
    EXPECT_NEAR(spread.std, pairs["std_ddof1"].get<double>(), 1e-12) << n;
    EXPECT_NEAR(spread.ci_lo, pairs["t_interval"][0].get<double>(), 1e-9) << n;
    EXPECT_NEAR(spread.ci_hi, pairs["t_interval"][1].get<double>(), 1e-9) << n;
    EXPECT_NEAR(sign_flip(differences).p, pairs["sign_flip_p"].get<double>(), 1e-12) << n;
    EXPECT_TRUE(sign_flip(differences).exact);
  }
}

TEST(Paired, EightPairsWithTiesAndEqualMagnitudes) {
  const Json a{.912, .905, .921, .899, .915, .908, .917, .911};
  const Json b{.903, .899, .915, .901, .905, .900, .909, .902};
  const std::vector<double> differences = pair_differences(b, a);
  EXPECT_NEAR(spread_of(differences).ci_lo, .00356653, 1e-8);
  EXPECT_NEAR(spread_of(differences).ci_hi, .00993347, 1e-8);
  EXPECT_DOUBLE_EQ(sign_flip(differences).p, .015625);
}

TEST(Paired, HolmAgreesWithStatsmodels) {
  const Json reference = statistics_reference().at("corrections");
  const auto wanted = reference["holm"].get<std::vector<double>>();
  const auto corrected = holm_corrected(reference["p"].get<std::vector<double>>());
  ASSERT_EQ(corrected.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(corrected[i], wanted[i], 1e-12);
}

TEST(Paired, HolmLeavesOutWhatIsMissing) {
  const auto corrected = holm_corrected({.01, missing, .04, .03, .005, .2});
  const double wanted[] = {.04, missing, .09, .09, .025, .2};
  for (std::size_t i = 0; i < 6; ++i) {
    if (i == 1) continue;
    EXPECT_NEAR(corrected[i], wanted[i], 1e-15);
  }
  EXPECT_TRUE(std::isnan(corrected[1]));
  EXPECT_TRUE(holm_corrected({}).empty());
}

TEST(Paired, SmallestExactP) {
  for (const Json& entry : statistics_reference().at("smallest_exact_p")) {
    const auto n = entry["n"].get<std::size_t>();
    std::vector<double> rising(n);
    std::iota(rising.begin(), rising.end(), 1.0);
    EXPECT_DOUBLE_EQ(smallest_sign_flip_p(n), entry["sign_flip"].get<double>());
    EXPECT_DOUBLE_EQ(sign_flip(rising).p, entry["sign_flip"].get<double>());
  }
  EXPECT_EQ(smallest_sign_flip_p(1), 1);
  EXPECT_TRUE(std::isnan(smallest_sign_flip_p(0)));
  EXPECT_TRUE(std::isnan(sign_flip({}).p));
}

TEST(Paired, NoDifferenceAtAllIsNoEvidence) { EXPECT_EQ(sign_flip({0, 0, 0, 0, 0, 0}).p, 1); }

TEST(Paired, ManyPairsAreDrawnAndSaySo) {
  std::vector<double> differences;
  for (int i = 0; i < 24; ++i) differences.push_back(i % 3 == 0 ? -1.0 : 1.0);
  const SignFlip test = sign_flip(differences);
  EXPECT_FALSE(test.exact);
  // Binomial: 2 P(X >= 16), X of 24 signs.
  EXPECT_NEAR(test.p, 0.15158, 0.004);
  EXPECT_EQ(test.p, sign_flip(differences).p);
  EXPECT_DOUBLE_EQ(sign_flip(std::vector<double>(40, 1.0)).p, smallest_sign_flip_p(40));
}

// Simulated and solved for elsewhere to two digits, for a power of 0.8 at the level 0.05.
TEST(Paired, DetectableEffect) {
  const std::pair<std::size_t, double> wanted[] = {{3, 3.26}, {4, 2.13},  {5, 1.68}, {6, 1.43},
                                                   {8, 1.16}, {10, 1.00}, {20, .66}};
  for (const auto& [n, effect] : wanted) EXPECT_NEAR(detectable_effect(n), effect, 0.006) << n;
  EXPECT_TRUE(std::isnan(detectable_effect(2)));
}

}  // namespace
}  // namespace espalier
