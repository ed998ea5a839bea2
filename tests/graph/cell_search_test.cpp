#include <espalier/graph/cell_search.hpp>

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "graph/random_rows.hpp"
#include "libtorch_threads.hpp"

namespace espalier {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

at::Tensor row_of(float a, float b) { return at::tensor({a, b}).view({1, 2}); }

// Two cells, to the right and above. Rows 0 and 1 lie in the first, 2 and 3 in the second, and 1
// and 2 are nearest to each other.
struct TwoCells {
  at::Tensor rows = at::cat({row_of(1, 0), row_of(10, 8), row_of(8, 10), row_of(0, 1)});
  at::Tensor centroids = at::cat({row_of(1, 0), row_of(0, 1)});

  [[nodiscard]] CellSearch search(std::int64_t probes) const {
    return {SimilaritySearch(rows), centroids, probes};
  }
};

std::vector<std::int64_t> numbers(const std::vector<Neighbour>& list) {
  std::vector<std::int64_t> out;
  for (const Neighbour& n : list) out.push_back(n.index);
  return out;
}

TEST(CellSearch, FindsWhatLiesInTheCellsItLooksInto) {
  const TwoCells world;
  const Neighbours one = world.search(1).nearest_others(2);
  EXPECT_THAT(numbers(one[0]), ElementsAre(1));
  EXPECT_THAT(numbers(one[1]), ElementsAre(0)) << "2 is nearer, and lies in the other cell";
  EXPECT_THAT(numbers(one[2]), ElementsAre(3));
  const Neighbours both = world.search(2).nearest_others(2);
  EXPECT_THAT(numbers(both[1]), ElementsAre(2, 0));
  const Neighbours query = world.search(1).nearest(row_of(3, 2), 3);
  EXPECT_THAT(numbers(query[0]), ElementsAre(1, 0));
}

// Of the two nearest others of 0 (1 and 2), 1 (2 and 0), 2 (1 and 3) and 3 (2 and 1) the first and
// the second half find one of two each.
TEST(CellSearch, CountsWhatItMissed) {
  const TwoCells world;
  const auto recall = [&](std::int64_t probes, std::int64_t k) {
    const CellSearch search = world.search(probes);
    return search.recall(search.nearest_others(k), k, 1000, Random(std::uint64_t{1}));
  };
  EXPECT_DOUBLE_EQ(recall(1, 2), 0.5);
  EXPECT_DOUBLE_EQ(recall(1, 1), 0.5) << "of 0 and 3, not of 1 and 2";
  EXPECT_DOUBLE_EQ(recall(2, 2), 1);
}

class Cells600 : public testing::TestWithParam<const char*> {};

// 600 rows, some of them copies, and 20 cells around some of them.
struct Crowd {
  at::Tensor rows = [] {
    at::Tensor x = random_rows(600, 24, Random(31)) + 0.5;
    x[40] = x[7];
    x[599] = x[7];
    x[100].zero_();
    return x;
  }();
  at::Tensor centroids = rows.slice(0, 0, 20).contiguous();
};

TEST_P(Cells600, AreSearchedExactlyWhereAllAreLookedInto) {
  const Crowd crowd;
  const SimilaritySearch exact(crowd.rows, metric_of(GetParam()));
  const CellSearch all(exact, crowd.centroids, 20);
  const at::Tensor queries = random_rows(70, 24, Random(32));
  for (const std::int64_t k : {1, 9, 700}) {
    const Neighbours found = all.nearest_others(k);
    EXPECT_EQ(found, exact.nearest_others(k)) << k;
    EXPECT_EQ(all.nearest(queries, k), exact.nearest(queries, k)) << k;
    EXPECT_EQ(all.recall(found, k, 100, Random(std::uint64_t{1})), 1.0);
  }
}

TEST_P(Cells600, HaveTheirOwnNearestInOrder) {
  const Crowd crowd;
  const SimilaritySearch exact(crowd.rows, metric_of(GetParam()));
  const CellSearch some(exact, crowd.centroids, 3);
  const Neighbours found = some.nearest_others(5), real = exact.nearest_others(599);
  for (std::size_t i = 0; i < found.size(); ++i) {
    std::vector<Neighbour> rest = real[i];
    std::erase_if(rest, [&](const Neighbour& n) {
      return std::find(found[i].begin(), found[i].end(), n) == found[i].end();
    });
    ASSERT_EQ(found[i], rest) << "row " << i;
  }
  const double recall = some.recall(found, 5, 1000, Random(std::uint64_t{1}));
  EXPECT_GT(recall, 0.2);
  EXPECT_LT(recall, 0.95);
}

TEST_P(Cells600, GiveAQueryTheSameWhoeverElseAsksAndOnHoweverManyThreads) {
  const Crowd crowd;
  const CellSearch some(SimilaritySearch(crowd.rows, metric_of(GetParam())), crowd.centroids, 3);
  const Neighbours together = some.nearest(crowd.rows, 6), others = some.nearest_others(6);
  const int before = at::get_num_threads();
  testing_support::set_threads(before == 1 ? 2 : 1);
  EXPECT_EQ(some.nearest(crowd.rows, 6), together);
  EXPECT_EQ(some.nearest_others(6), others);
  testing_support::set_threads(before);
  for (std::int64_t q = 0; q < 600; q += 7) {
    EXPECT_EQ(some.nearest(crowd.rows.slice(0, q, q + 1), 6)[0],
              together[static_cast<std::size_t>(q)]);
  }
  Neighbours turned = some.nearest(crowd.rows.flip(0), 6);
  std::reverse(turned.begin(), turned.end());
  EXPECT_EQ(turned, together);
}
INSTANTIATE_TEST_SUITE_P(Metrics, Cells600, testing::Values("cosine", "l2", "ip"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST(CellSearch, OfNoRowsFindsNothing) {
  const CellSearch none(SimilaritySearch(at::zeros({0, 4})), at::zeros({0, 4}), 3);
  EXPECT_THAT(none.nearest_others(2), IsEmpty());
  EXPECT_THAT(none.nearest(at::zeros({2, 4}), 2), ElementsAre(IsEmpty(), IsEmpty()));
}

}  // namespace
}  // namespace espalier
