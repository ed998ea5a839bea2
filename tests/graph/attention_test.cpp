#include <espalier/graph/attention.hpp>

#include <ATen/ops/cat.h>
#include <ATen/ops/leaky_relu.h>
#include <ATen/ops/zeros.h>

#include <espalier/graph/segment.hpp>
#include <limits>

#include "graph/kernels.hpp"

namespace espalier {
namespace {

using testing_support::expect_right_gradients;
using testing_support::expect_the_same_bits;
using testing_support::graph_with_hubs;
using testing_support::random_edges;
using testing_support::random_tensor;

class AttentionTest : public testing::Test {
 protected:
  static constexpr std::int64_t heads = 2;
  Random random_{std::uint64_t{1}};
  CsrGraph graph_ = random_edges(6, 7, 20, random_);
  at::Tensor source_ = random_tensor({7, heads}, random_);
  at::Tensor target_ = random_tensor({6, heads}, random_);
  at::Tensor edge_ = random_tensor({graph_.edges(), heads}, random_);
  at::Tensor own_ = random_tensor({6, heads}, random_);
};

// Row by row with LibTorch's own softmax.
TEST_F(AttentionTest, IsTheSoftmaxOfEachTarget) {
  const MessageWeights got = attention_weights(graph_, {source_, target_, edge_, own_}, 0.2);
  const at::Tensor scores = at::leaky_relu(
      gather_sources(graph_, source_) + gather_targets(graph_, target_) + edge_, 0.2);
  const at::Tensor own = at::leaky_relu(own_ + target_, 0.2);
  for (std::int64_t i = 0; i < 6; ++i) {
    const auto first = graph_.rowptr[i].item<std::int64_t>();
    const auto last = graph_.rowptr[i + 1].item<std::int64_t>();
    const at::Tensor all = at::cat({scores.slice(0, first, last), own.slice(0, i, i + 1)});
    const at::Tensor expected = all.softmax(0);
    const at::Tensor actual = at::cat({got.edge.slice(0, first, last), got.own.slice(0, i, i + 1)});
    EXPECT_LT((actual - expected).abs().max().item<double>(), 1e-14);
  }
}

TEST_F(AttentionTest, LargeScoresDoNotOverflow) {
  const at::Tensor weights = segment_softmax(graph_, edge_ * 1e6);
  EXPECT_TRUE(weights.isfinite().all().item<bool>());
  const at::Tensor sums = segment_sum(graph_, weights);
  const at::Tensor counts = edge_counts(graph_, sums);
  for (std::int64_t i = 0; i < 6; ++i) {
    const double expected = counts[i].item<double>() > 0 ? 1 : 0;
    EXPECT_NEAR(sums[i][0].item<double>(), expected, 1e-12);
  }
}

TEST_F(AttentionTest, MinusInfinityTakesAnEdgeOut) {
  at::Tensor edge = edge_.clone();
  edge[3].fill_(-std::numeric_limits<double>::infinity());
  edge.set_requires_grad(true);
  const MessageWeights got = attention_weights(graph_, {.edge = edge, .own = own_});
  EXPECT_EQ(got.edge[3][0].item<double>(), 0);
  got.own.sum().backward();
  EXPECT_TRUE(edge.grad().isfinite().all().item<bool>());
}

TEST_F(AttentionTest, GradientsAgreeWithFiniteDifferences) {
  expect_right_gradients(
      [&](const auto& in) {
        const MessageWeights w = attention_weights(graph_, {in[0], in[1], in[2], in[3]}, 0.2);
        return at::cat({w.edge, w.own});
      },
      {source_, target_, edge_, own_});
  expect_right_gradients(
      [&](const auto& in) { return attention_weights(graph_, {.source = in[0]}).edge; }, {source_});
  expect_right_gradients([&](const auto& in) { return segment_softmax(graph_, in[0]); }, {edge_});
}

TEST_F(AttentionTest, EdgeProductsAreThoseOfTheEndsAndSoAreTheirGradients) {
  const at::Tensor x = random_tensor({7, 20}, random_);
  const at::Tensor y = random_tensor({6, 20}, random_);
  const at::Tensor expected = (gather_sources(graph_, x) * gather_targets(graph_, y))
                                  .view({graph_.edges(), heads, 10})
                                  .sum(2);
  EXPECT_LT((edge_products(graph_, x, y, heads) - expected).abs().max().item<double>(), 1e-13);
  expect_right_gradients([&](const auto& in) { return edge_products(graph_, in[0], in[1], heads); },
                         {x, y});
}

TEST_F(AttentionTest, EdgeScoresAreGatv2sAndSoAreTheirGradients) {
  const at::Tensor x = random_tensor({7, 6}, random_);
  const at::Tensor y = random_tensor({6, 6}, random_);
  const at::Tensor e = random_tensor({graph_.edges(), 6}, random_);
  const at::Tensor w = random_tensor({heads, 3}, random_);
  const at::Tensor sum = gather_sources(graph_, x) + gather_targets(graph_, y) + e;
  const at::Tensor expected =
      (at::leaky_relu(sum, 0.2).view({graph_.edges(), heads, 3}) * w).sum(2);
  EXPECT_LT((edge_scores(graph_, x, y, e, w, 0.2) - expected).abs().max().item<double>(), 1e-13);
  expect_right_gradients(
      [&](const auto& in) { return edge_scores(graph_, in[0], in[1], in[2], in[3], 0.2); },
      {x, y, e, w});
  expect_right_gradients(
      [&](const auto& in) { return edge_scores(graph_, in[0], in[1], {}, in[2], 0.2); }, {x, y, w});
}

TEST(AttentionThreads, TheSameBitsWhateverTheNumberOfThreads) {
  Random random(std::uint64_t{2});
  const CsrGraph graph = graph_with_hubs(2000, 40000, random);
  const at::Tensor x = random_tensor({2000, 8}, random, at::kFloat);
  const at::Tensor w = random_tensor({2, 4}, random, at::kFloat);
  expect_the_same_bits(
      [&](const auto& in) {
        const at::Tensor scores = edge_scores(graph, in[0], in[0], {}, in[1], 0.2) +
                                  edge_products(graph, in[0], in[0], 2);
        const at::Tensor nodes = in[0].slice(1, 0, 2);
        const MessageWeights all = attention_weights(graph, {nodes, nodes, scores, nodes}, 0.2);
        return propagate(graph, all, in[0], in[0]);
      },
      {x, w});
}

}  // namespace
}  // namespace espalier
