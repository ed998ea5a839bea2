#include <espalier/graph/segment.hpp>

#include <ATen/ops/zeros.h>

#include "graph/kernels.hpp"

namespace espalier {
namespace {

using testing_support::expect_right_gradients;
using testing_support::expect_the_same_bits;
using testing_support::graph_with_hubs;
using testing_support::random_edges;
using testing_support::random_tensor;

class Segment : public testing::Test {
 protected:
  Random random_{std::uint64_t{1}};
  CsrGraph graph_ = random_edges(6, 7, 20, random_);  // row 5 or another may be empty: 0 there
};

TEST_F(Segment, GatheredRowsAreThoseOfTheEnds) {
  const at::Tensor x = random_tensor({7, 3}, random_);
  const at::Tensor y = random_tensor({6, 3}, random_);
  EXPECT_TRUE(gather_sources(graph_, x).equal(x.index_select(0, graph_.col)));
  EXPECT_TRUE(gather_targets(graph_, y).equal(y.index_select(0, edge_index(graph_)->row)));
}

TEST(SegmentByHand, SumMeanAndMaxOfThreeEdges) {
  const CsrGraph graph = graph_from_edges(3, 2, {{0, 0}, {0, 1}, {2, 1}});
  const at::Tensor values = at::zeros({3, 1}, at::kDouble);
  values[0][0] = -4;
  values[1][0] = -1;
  values[2][0] = -7;
  const auto column = [](const at::Tensor& y) {
    return std::vector{y[0][0].item<double>(), y[1][0].item<double>(), y[2][0].item<double>()};
  };
  EXPECT_EQ(column(segment_sum(graph, values)), (std::vector{-5.0, 0.0, -7.0}));
  EXPECT_EQ(column(segment_mean(graph, values)), (std::vector{-2.5, 0.0, -7.0}));
  EXPECT_EQ(column(segment_max(graph, values)), (std::vector{-1.0, 0.0, -7.0}));
}

TEST_F(Segment, TheLargestNeighbourIsThatOfTheGatheredRows) {
  const at::Tensor x = random_tensor({7, 3}, random_);
  EXPECT_TRUE(neighbour_max(graph_, x).equal(segment_max(graph_, gather_sources(graph_, x))));
}

TEST_F(Segment, EqualLargestValuesShareTheGradient) {
  const CsrGraph graph = graph_from_edges(1, 3, {{0, 0}, {0, 1}, {0, 2}});
  at::Tensor x = at::zeros({3, 1}, at::kDouble);
  x[0][0] = -1;
  x.set_requires_grad(true);
  neighbour_max(graph, x).sum().backward();
  EXPECT_EQ(x.grad()[0].item<double>(), 0);
  EXPECT_EQ(x.grad()[1].item<double>(), 0.5);
  EXPECT_EQ(x.grad()[2].item<double>(), 0.5);
}

TEST_F(Segment, GradientsAgreeWithFiniteDifferences) {
  const at::Tensor of_sources = random_tensor({7, 3}, random_);
  const at::Tensor of_targets = random_tensor({6, 3}, random_);
  const at::Tensor of_edges = random_tensor({graph_.edges(), 3}, random_);
  const auto check = [&](auto function, const at::Tensor& input) {
    expect_right_gradients([&](const auto& in) { return function(graph_, in[0]); }, {input});
  };
  check(gather_sources, of_sources);
  check(gather_targets, of_targets);
  check(segment_sum, of_edges);
  check(segment_mean, of_edges);
  check(segment_max, of_edges);
  check(neighbour_max, of_sources);
}

TEST(SegmentThreads, TheSameBitsWhateverTheNumberOfThreads) {
  Random random(std::uint64_t{2});
  const CsrGraph graph = graph_with_hubs(2000, 40000, random);
  const at::Tensor x = random_tensor({2000, 9}, random, at::kFloat);
  expect_the_same_bits(
      [&](const auto& in) {
        const at::Tensor edges = gather_sources(graph, in[0]) * gather_targets(graph, in[0]);
        return segment_mean(graph, edges) + segment_max(graph, edges) + neighbour_max(graph, in[0]);
      },
      {x});
}

}  // namespace
}  // namespace espalier
