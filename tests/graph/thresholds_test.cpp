#include <espalier/graph/thresholds.hpp>

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include "graph/golden.hpp"
#include "graph/random_rows.hpp"

namespace espalier {
namespace {

std::size_t edges_at(const SimilaritySearch& search, double tau) {
  std::size_t edges = 0;
  for (const auto& list : search.others_within(tau)) edges += list.size();
  return edges;
}

TEST(Thresholds, ForADegreeAreTheReferences) {
  const golden::Case reference("gnn/graphs");
  const SimilaritySearch search(reference["x"]);
  for (const Json& wanted : reference.meta.at("automatic_threshold")) {
    const double tau = tau_for_degree(search, wanted.at("average_degree").get<double>());
    // Both in double, from the same float32 features.
    EXPECT_NEAR(tau, wanted.at("tau").get<double>(), 1e-12);
    EXPECT_DOUBLE_EQ(static_cast<double>(edges_at(search, tau)) / 60,
                     wanted.at("realised").get<double>());
  }
}

TEST(Thresholds, BeyondAllPairsAskForAllOfThem) {
  const SimilaritySearch search(random_rows(5, 4, Random(14)));
  EXPECT_EQ(tau_for_degree(search, 4), -1);
  EXPECT_EQ(sampled_tau(search, 4, 1000, Random(1)), -1);
}

TEST(Thresholds, FromASampleOfPairsComeNearTheExactOne) {
  const SimilaritySearch search(random_rows(400, 16, Random(15)));
  // 20 of 399 wanted; the quantile of 200,000 pairs has a standard error of about 5e-4 in rank,
  // which near this quantile is less than 2e-3 in cosine.
  EXPECT_NEAR(sampled_tau(search, 20, 200000, Random(3)), tau_for_degree(search, 20), 6e-3);
}

// Two tight groups of four on perpendicular axes, which a chain of two rows joins weakly: the share
// in the largest component is 4 / 10 with the groups' own 12 pairs, and grows by no more than the
// line does afterwards.
TEST(Thresholds, TheElbowIsWhereTheLargestComponentStopsGrowingFast) {
  at::Tensor x = at::zeros({10, 3});
  for (std::int64_t i = 0; i < 8; ++i) {
    x[i][i / 4] = 1;
    x[i][2] = 0.01 * static_cast<double>(i);
  }
  x[8][0] = 1;
  x[8][1] = 0.5;
  x[9][2] = -1;
  const SimilaritySearch search(x);
  const double tau = tau_at_elbow(search, 9);
  const auto pairs = search.nearest_pairs(45);
  // By hand, with a growing set of pairs: the largest share minus the line.
  double best = -1, expected = 0;
  std::vector<std::int64_t> of(10);
  for (std::int64_t i = 0; i < 10; ++i) of[static_cast<std::size_t>(i)] = i;
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    const std::int64_t a = of[static_cast<std::size_t>(pairs[p].first)];
    const std::int64_t b = of[static_cast<std::size_t>(pairs[p].second)];
    for (auto& c : of) c = c == b ? a : c;
    if (p + 1 < pairs.size() && pairs[p + 1].cosine == pairs[p].cosine) continue;
    std::int64_t largest = 0;
    for (std::int64_t c = 0; c < 10; ++c) {
      largest = std::max(largest, static_cast<std::int64_t>(std::count(of.begin(), of.end(), c)));
    }
    const double above =
        static_cast<double>(largest) / 10 - static_cast<double>(p + 1) * 2 / 10 / 9;
    if (above <= best) continue;
    best = above;
    expected = p + 1 < pairs.size() ? (pairs[p].cosine + pairs[p + 1].cosine) / 2 : pairs[p].cosine;
  }
  EXPECT_DOUBLE_EQ(tau, expected);
  EXPECT_GT(best, 0.2);
  EXPECT_EQ(tau_at_elbow(SimilaritySearch(x.slice(0, 0, 1)), 9), -1);
}

TEST(Thresholds, NearestPairsAreThoseOfAllPairs) {
  const at::Tensor x = random_rows(700, 9, Random(31));
  const SimilaritySearch search(at::cat({x, x.slice(0, 0, 5)}));
  std::vector<double> all;
  const auto found = search.others_within(-1);
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (const Neighbour& n : found[i]) {
      if (n.index > static_cast<std::int64_t>(i)) all.push_back(n.cosine);
    }
  }
  std::sort(all.begin(), all.end(), std::greater<>());
  const auto pairs = search.nearest_pairs(1000);
  ASSERT_EQ(pairs.size(), 1000U);
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    EXPECT_EQ(pairs[p].cosine, all[p]);
    EXPECT_LT(pairs[p].first, pairs[p].second);
  }
}

}  // namespace
}  // namespace espalier
