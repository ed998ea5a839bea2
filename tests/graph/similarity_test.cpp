#include <espalier/graph/similarity.hpp>

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include "graph/golden.hpp"

namespace espalier {
namespace {

at::Tensor random_rows(std::int64_t n, std::int64_t d, Random random) {
  at::Tensor x = at::empty({n, d}, at::kFloat);
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    x.data_ptr<float>()[i] = static_cast<float>(random.normal());
  }
  return x;
}

std::vector<std::int64_t> indices(const std::vector<Neighbour>& list) {
  std::vector<std::int64_t> out;
  for (const Neighbour& n : list) out.push_back(n.index);
  return out;
}

TEST(CosineSearch, NearestOthersAreTheReferences) {
  const golden::Case reference("gnn/graphs");
  const auto found = CosineSearch(reference["x"]).nearest_others(5);
  const at::Tensor neighbours = reference["neighbours.cosine"];
  const at::Tensor cosines = reference["values.cosine"];
  const at::Tensor margin = reference["margin.cosine"];
  for (std::int64_t i = 0; i < 60; ++i) {
    const auto& list = found[static_cast<std::size_t>(i)];
    ASSERT_EQ(list.size(), 5U);
    for (std::int64_t k = 0; k < 5; ++k) {
      const Neighbour& n = list[static_cast<std::size_t>(k)];
      // The reference is in double and stored as float.
      EXPECT_NEAR(n.cosine, cosines[i][k].item<double>(), 1e-7);
      if (margin[i].item<float>() > 1e-6F) {
        EXPECT_EQ(n.index, neighbours[i][k].item<std::int64_t>());
      }
    }
  }
}

TEST(CosineSearch, EqualRowsTieToTheSmallerIndexAndNeverToThemselves) {
  const at::Tensor row = random_rows(1, 300, Random(5));
  const auto found = CosineSearch(at::cat({row, row, row, row})).nearest_others(2);
  EXPECT_THAT(indices(found[0]), testing::ElementsAre(1, 2));
  EXPECT_THAT(indices(found[1]), testing::ElementsAre(0, 2));
  EXPECT_THAT(indices(found[3]), testing::ElementsAre(0, 1));
}

TEST(CosineSearch, ScaledRowsAreAsSimilarAsTheirOriginals) {
  const at::Tensor x = random_rows(30, 8, Random(6));
  const auto a = CosineSearch(x).nearest_others(29);
  const auto b = CosineSearch(x * 4).nearest_others(29);
  EXPECT_EQ(a, b);
}

TEST(CosineSearch, FewerRowsThanAskedForAreAllOfThem) {
  const at::Tensor x = random_rows(3, 4, Random(8));
  EXPECT_EQ(CosineSearch(x).nearest_others(10)[0].size(), 2U);
  EXPECT_EQ(CosineSearch(x).nearest(x, 10)[0].size(), 3U);
  EXPECT_TRUE(CosineSearch(at::zeros({0, 4})).nearest(x, 2)[0].empty());
  EXPECT_TRUE(CosineSearch(at::zeros({0, 4})).within(x, 0.1)[0].empty());
}

TEST(CosineSearch, TheThresholdItselfCounts) {
  at::Tensor x = at::zeros({2, 2});
  x[0][0] = 1;
  x[1][0] = 3;
  x[1][1] = 4;
  const CosineSearch search(x);
  const double exact = search.nearest_others(1)[0][0].cosine;
  EXPECT_DOUBLE_EQ(exact, 0.6);
  EXPECT_EQ(search.others_within(exact)[0].size(), 1U);
  EXPECT_EQ(search.others_within(std::nextafter(exact, 2.0))[0].size(), 0U);
}

TEST(CosineSearch, ARowHasCosineOneWithItsCopyAndATauOfOneJoinsThem) {
  const at::Tensor x = random_rows(300, 37, Random(15));
  const CosineSearch search(at::cat({x, x}));
  const auto found = search.others_within(1);
  for (std::size_t i = 0; i < 600; ++i) {
    ASSERT_EQ(indices(found[i]), std::vector{static_cast<std::int64_t>((i + 300) % 600)});
    EXPECT_EQ(found[i][0].cosine, 1.0);
  }
}

// Of (s, s, 0) and (t, 0, t), whatever their lengths.
TEST(CosineSearch, ACosineOfAHalfIsAHalf) {
  Random random(16);
  for (int trial = 0; trial < 300; ++trial) {
    at::Tensor x = at::zeros({2, 3});
    x[0].slice(0, 0, 2).fill_(random.uniform(0.01, 10));
    x[1].fill_(random.uniform(0.01, 10));
    x[1][1] = 0;
    const CosineSearch search(x);
    EXPECT_EQ(search.nearest_others(1)[0][0].cosine, 0.5);
    EXPECT_EQ(search.others_within(0.5)[0].size(), 1U);
  }
}

TEST(CosineSearch, SimilarityIsSymmetricToTheLastBit) {
  const at::Tensor x = random_rows(200, 37, Random(9));
  const auto found = CosineSearch(x).others_within(-1);
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i].size(), 199U);
    for (const Neighbour& n : found[i]) {
      const std::size_t back = i < static_cast<std::size_t>(n.index) ? i : i - 1;
      EXPECT_EQ(n.cosine, found[static_cast<std::size_t>(n.index)][back].cosine);
    }
  }
}

TEST(CosineSearch, AQueryFindsTheSameAloneAndInACrowd) {
  const at::Tensor support = random_rows(300, 33, Random(10));
  const at::Tensor queries = random_rows(150, 33, Random(11));
  const CosineSearch search(support);
  const auto together = search.nearest(queries, 7);
  const auto within = search.within(queries, 0.2);
  for (std::int64_t q = 0; q < 150; ++q) {
    EXPECT_EQ(search.nearest(queries.slice(0, q, q + 1), 7)[0],
              together[static_cast<std::size_t>(q)]);
    EXPECT_EQ(search.within(queries.slice(0, q, q + 1), 0.2)[0],
              within[static_cast<std::size_t>(q)]);
  }
}

TEST(CosineSearch, TheSameWhateverTheNumberOfThreads) {
  const at::Tensor x = random_rows(500, 20, Random(12));
  const int before = at::get_num_threads();
  at::set_num_threads(1);
  const auto one = CosineSearch(x).nearest_others(9);
  at::set_num_threads(3);
  const auto three = CosineSearch(x).nearest_others(9);
  at::set_num_threads(before);
  EXPECT_EQ(one, three);
}

TEST(CosineSearch, ARowOfZerosIsLikeNothing) {
  at::Tensor x = random_rows(3, 4, Random(13));
  x[1].zero_();
  const auto found = CosineSearch(x).nearest_others(2);
  for (const Neighbour& n : found[1]) EXPECT_EQ(n.cosine, 0.0);
}

TEST(CosineSearch, AutomaticThresholdsAreTheReferences) {
  const golden::Case reference("gnn/graphs");
  const CosineSearch search(reference["x"]);
  for (const Json& wanted : reference.meta.at("automatic_threshold")) {
    const auto degree = wanted.at("average_degree").get<double>();
    const double tau = search.tau_for_degree(degree);
    // Both in double, from the same float32 features.
    EXPECT_NEAR(tau, wanted.at("tau").get<double>(), 1e-12);
    std::size_t edges = 0;
    for (const auto& list : search.others_within(tau)) edges += list.size();
    EXPECT_DOUBLE_EQ(static_cast<double>(edges) / 60, wanted.at("realised").get<double>());
  }
}

TEST(CosineSearch, ADegreeBeyondAllPairsAsksForAllOfThem) {
  const CosineSearch search(random_rows(5, 4, Random(14)));
  EXPECT_EQ(search.tau_for_degree(4), -1);
  EXPECT_EQ(search.sampled_tau(4, 1000, Random(1)), -1);
}

TEST(CosineSearch, ASampleOfPairsComesNearTheExactThreshold) {
  const CosineSearch search(random_rows(400, 16, Random(15)));
  // 20 of 399 wanted; the quantile of 200,000 pairs has a standard error of about 5e-4 in rank,
  // which near this quantile is less than 2e-3 in cosine.
  EXPECT_NEAR(search.sampled_tau(20, 200000, Random(3)), search.tau_for_degree(20), 6e-3);
}

}  // namespace
}  // namespace espalier
