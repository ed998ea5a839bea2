#include <espalier/graph/similarity.hpp>

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <limits>

#include "graph/golden.hpp"
#include "graph/random_rows.hpp"
#include "libtorch_threads.hpp"

namespace espalier {
namespace {

std::vector<std::int64_t> indices(const std::vector<Neighbour>& list) {
  std::vector<std::int64_t> out;
  for (const Neighbour& n : list) out.push_back(n.index);
  return out;
}

TEST(SimilaritySearch, NearestOthersAreTheReferences) {
  const golden::Case reference("gnn/graphs");
  const auto found = SimilaritySearch(reference["x"]).nearest_others(5);
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

TEST(SimilaritySearch, EqualRowsTieToTheSmallerIndexAndNeverToThemselves) {
  const at::Tensor row = random_rows(1, 300, Random(5));
  const auto found = SimilaritySearch(at::cat({row, row, row, row})).nearest_others(2);
  EXPECT_THAT(indices(found[0]), testing::ElementsAre(1, 2));
  EXPECT_THAT(indices(found[1]), testing::ElementsAre(0, 2));
  EXPECT_THAT(indices(found[3]), testing::ElementsAre(0, 1));
}

TEST(SimilaritySearch, ScaledRowsAreAsSimilarAsTheirOriginals) {
  const at::Tensor x = random_rows(30, 8, Random(6));
  const auto a = SimilaritySearch(x).nearest_others(29);
  const auto b = SimilaritySearch(x * 4).nearest_others(29);
  EXPECT_EQ(a, b);
}

TEST(SimilaritySearch, FewerRowsThanAskedForAreAllOfThem) {
  const at::Tensor x = random_rows(3, 4, Random(8));
  EXPECT_EQ(SimilaritySearch(x).nearest_others(10)[0].size(), 2U);
  EXPECT_EQ(SimilaritySearch(x).nearest(x, 10)[0].size(), 3U);
  EXPECT_TRUE(SimilaritySearch(at::zeros({0, 4})).nearest(x, 2)[0].empty());
  EXPECT_TRUE(SimilaritySearch(at::zeros({0, 4})).within(x, 0.1)[0].empty());
}

TEST(SimilaritySearch, TheThresholdItselfCounts) {
  at::Tensor x = at::zeros({2, 2});
  x[0][0] = 1;
  x[1][0] = 3;
  x[1][1] = 4;
  const SimilaritySearch search(x);
  const double exact = search.nearest_others(1)[0][0].cosine;
  EXPECT_DOUBLE_EQ(exact, 0.6);
  EXPECT_EQ(search.others_within(exact)[0].size(), 1U);
  EXPECT_EQ(search.others_within(std::nextafter(exact, 2.0))[0].size(), 0U);
}

TEST(SimilaritySearch, ARowHasCosineOneWithItsCopyAndATauOfOneJoinsThem) {
  const at::Tensor x = random_rows(300, 37, Random(15));
  const SimilaritySearch search(at::cat({x, x}));
  const auto found = search.others_within(1);
  for (std::size_t i = 0; i < 600; ++i) {
    ASSERT_EQ(indices(found[i]), std::vector{static_cast<std::int64_t>((i + 300) % 600)});
    EXPECT_EQ(found[i][0].cosine, 1.0);
  }
}

// Of (s, s, 0) and (t, 0, t), whatever their lengths.
TEST(SimilaritySearch, ACosineOfAHalfIsAHalf) {
  Random random(16);
  for (int trial = 0; trial < 300; ++trial) {
    at::Tensor x = at::zeros({2, 3});
    x[0].slice(0, 0, 2).fill_(random.uniform(0.01, 10));
    x[1].fill_(random.uniform(0.01, 10));
    x[1][1] = 0;
    const SimilaritySearch search(x);
    EXPECT_EQ(search.nearest_others(1)[0][0].cosine, 0.5);
    EXPECT_EQ(search.others_within(0.5)[0].size(), 1U);
  }
}

TEST(SimilaritySearch, SimilarityIsSymmetricToTheLastBit) {
  const at::Tensor x = random_rows(200, 37, Random(9));
  const auto found = SimilaritySearch(x).others_within(-1);
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i].size(), 199U);
    for (const Neighbour& n : found[i]) {
      const std::size_t back = i < static_cast<std::size_t>(n.index) ? i : i - 1;
      EXPECT_EQ(n.cosine, found[static_cast<std::size_t>(n.index)][back].cosine);
    }
  }
}

TEST(SimilaritySearch, AQueryFindsTheSameAloneAndInACrowd) {
  const at::Tensor support = random_rows(300, 33, Random(10));
  const at::Tensor queries = random_rows(150, 33, Random(11));
  const SimilaritySearch search(support);
  const auto together = search.nearest(queries, 7);
  const auto within = search.within(queries, 0.2);
  for (std::int64_t q = 0; q < 150; ++q) {
    EXPECT_EQ(search.nearest(queries.slice(0, q, q + 1), 7)[0],
              together[static_cast<std::size_t>(q)]);
    EXPECT_EQ(search.within(queries.slice(0, q, q + 1), 0.2)[0],
              within[static_cast<std::size_t>(q)]);
  }
}

TEST(SimilaritySearch, TheSameWhateverTheNumberOfThreads) {
  const at::Tensor x = random_rows(500, 20, Random(12));
  const int before = at::get_num_threads();
  testing_support::set_threads(1);
  const auto one = SimilaritySearch(x).nearest_others(9);
  testing_support::set_threads(3);
  const auto three = SimilaritySearch(x).nearest_others(9);
  testing_support::set_threads(before);
  EXPECT_EQ(one, three);
}

TEST(SimilaritySearch, ARowOfZerosIsLikeNothing) {
  at::Tensor x = random_rows(3, 4, Random(13));
  x[1].zero_();
  const auto found = SimilaritySearch(x).nearest_others(2);
  for (const Neighbour& n : found[1]) EXPECT_EQ(n.cosine, 0.0);
}

struct Ranked {
  double key;
  std::int64_t index;
};

// All others of row i by a key in double, straight from the definition.
std::vector<std::int64_t> by_definition(const at::Tensor& x, std::int64_t i, std::int64_t k,
                                        Metric metric) {
  const at::Tensor wide = x.to(at::kDouble);
  std::vector<Ranked> all;
  for (std::int64_t j = 0; j < x.size(0); ++j) {
    if (j == i) continue;
    const at::Tensor away = wide[i] - wide[j];
    const double key =
        metric == Metric::l2 ? away.dot(away).item<double>() : -wide[i].dot(wide[j]).item<double>();
    all.push_back({key, j});
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Ranked& a, const Ranked& b) { return a.key < b.key; });
  std::vector<std::int64_t> out;
  for (std::int64_t r = 0; r < k; ++r) out.push_back(all[static_cast<std::size_t>(r)].index);
  return out;
}

class OtherMetrics : public testing::TestWithParam<const char*> {};

TEST_P(OtherMetrics, RankAsTheirDefinitionsSay) {
  const Metric metric = metric_of(GetParam());
  // Of different lengths, and far from zero: nothing is lost to rounding that matters.
  at::Tensor x = random_rows(600, 12, Random(17)) + 3;
  x[40] = x[7];
  const SimilaritySearch search(x, metric);
  const Neighbours found = search.nearest_others(6);
  const Neighbours queried = search.nearest(x, 7);
  for (std::int64_t i = 0; i < 600; i += 37) {
    EXPECT_EQ(indices(found[static_cast<std::size_t>(i)]), by_definition(x, i, 6, metric)) << i;
    EXPECT_EQ(queried[static_cast<std::size_t>(i)].size(), 7U);
  }
  EXPECT_EQ(search.nearest_others({3, 40, 599}, 6), (Neighbours{found[3], found[40], found[599]}));
}
INSTANTIATE_TEST_SUITE_P(Metrics, OtherMetrics, testing::Values("l2", "ip"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST(SimilaritySearch, EuclideanNeighboursAreTheReferences) {
  const golden::Case reference("gnn/graphs");
  const SimilaritySearch search(reference["x"], Metric::l2);
  const Neighbours found = search.nearest_others(5);
  const auto distances = search.distances(reference["x"], found);
  const at::Tensor neighbours = reference["neighbours.euclidean"];
  const at::Tensor values = reference["values.euclidean"];
  const at::Tensor margin = reference["margin.euclidean"];
  for (std::size_t i = 0; i < 60; ++i) {
    for (std::size_t r = 0; r < 5; ++r) {
      const auto row = static_cast<std::int64_t>(i), rank = static_cast<std::int64_t>(r);
      if (margin[row].item<float>() > 1e-6F) {
        EXPECT_EQ(found[i][r].index, neighbours[row][rank].item<std::int64_t>());
      }
      // The reference is in double and stored as float.
      EXPECT_NEAR(distances[i][r], values[row][rank].item<double>(), 1e-5);
    }
  }
}

TEST(SimilaritySearch, ManyEqualRowsStillTieToTheSmallerIndex) {
  const at::Tensor one = random_rows(1, 24, Random(18)), other = random_rows(1, 24, Random(19));
  const at::Tensor x = at::cat({one.repeat({900, 1}), other.repeat({300, 1})});
  for (const Metric metric : {Metric::cosine, Metric::l2, Metric::ip}) {
    const Neighbours found = SimilaritySearch(x, metric).nearest_others(3);
    EXPECT_EQ(indices(found[0]), (std::vector<std::int64_t>{1, 2, 3}));
    EXPECT_EQ(indices(found[1]), (std::vector<std::int64_t>{0, 2, 3}));
    EXPECT_EQ(indices(found[899]), (std::vector<std::int64_t>{0, 1, 2}));
    if (metric != Metric::ip) {
      EXPECT_EQ(indices(found[1199]), (std::vector<std::int64_t>{900, 901, 902}));
    }
  }
}

TEST(SimilaritySearch, TilesDoNotShow) {
  // More rows than a tile has, columns too: neighbours are the same as of each row alone.
  const at::Tensor x = random_rows(5000, 8, Random(20));
  const SimilaritySearch search(x);
  const Neighbours found = search.nearest_others(4);
  const Neighbours close = search.others_within(0.9);
  for (const std::int64_t i : {0, 511, 512, 4095, 4096, 4999}) {
    Neighbours alone = search.nearest(x.slice(0, i, i + 1), 5);
    ASSERT_EQ(alone[0][0].index, i);
    alone[0].erase(alone[0].begin());
    EXPECT_EQ(found[static_cast<std::size_t>(i)], alone[0]);
    Neighbours near = search.within(x.slice(0, i, i + 1), 0.9);
    std::erase_if(near[0], [&](const Neighbour& n) { return n.index == i; });
    EXPECT_EQ(close[static_cast<std::size_t>(i)], near[0]);
  }
}

TEST(SimilaritySearch, RefusesWhatCannotBeCompared) {
  at::Tensor x = random_rows(5, 4, Random(21));
  x[3][1] = std::numeric_limits<float>::quiet_NaN();
  try {
    SimilaritySearch search(x);
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("row 3"));
  }
  x[3][1] = 1e20F;
  EXPECT_THROW(SimilaritySearch{x}, Error);
}

}  // namespace
}  // namespace espalier
