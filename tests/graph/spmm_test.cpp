#include <espalier/graph/spmm.hpp>

#include <ATen/ops/zeros.h>

#include "graph/kernels.hpp"

namespace espalier {
namespace {

using testing_support::expect_right_gradients;
using testing_support::expect_the_same_bits;
using testing_support::graph_with_hubs;
using testing_support::random_edges;
using testing_support::random_tensor;

at::Tensor dense(const CsrGraph& graph, const at::Tensor& weight) {
  at::Tensor matrix = at::zeros({graph.targets, graph.sources}, weight.options());
  const auto index = edge_index(graph);
  for (std::int64_t e = 0; e < graph.edges(); ++e) {
    matrix[index->row[e].item<std::int64_t>()][graph.col[e].item<std::int64_t>()] += weight[e];
  }
  return matrix;
}

TEST(Spmm, IsTheProductWithTheDenseMatrix) {
  Random random(1);
  const CsrGraph graph = random_edges(13, 17, 60, random);
  const at::Tensor weight = random_tensor({graph.edges()}, random);
  const at::Tensor x = random_tensor({17, 5}, random);
  const at::Tensor expected = dense(graph, weight).matmul(x);
  EXPECT_LT((spmm(graph, weight, x) - expected).abs().max().item<double>(), 1e-13);
}

TEST(Spmm, EachHeadHasWeightsOfItsOwn) {
  Random random(5);
  const CsrGraph graph = random_edges(13, 17, 60, random);
  const at::Tensor weight = random_tensor({graph.edges(), 3}, random);
  const at::Tensor x = random_tensor({17, 12}, random);
  const at::Tensor y = spmm(graph, weight, x);
  for (std::int64_t h = 0; h < 3; ++h) {
    const at::Tensor expected =
        dense(graph, weight.select(1, h)).matmul(x.slice(1, 4 * h, 4 * h + 4));
    EXPECT_LT((y.slice(1, 4 * h, 4 * h + 4) - expected).abs().max().item<double>(), 1e-13);
  }
}

TEST(Spmm, WithoutWeightsItSumsUp) {
  Random random(6);
  const CsrGraph graph = random_edges(13, 17, 60, random);
  const at::Tensor x = random_tensor({17, 5}, random);
  const at::Tensor ones = at::zeros({graph.edges()}, at::kDouble) + 1;
  EXPECT_TRUE(spmm(graph, {}, x).equal(spmm(graph, ones, x)));
}

TEST(Spmm, GradientsAgreeWithFiniteDifferences) {
  Random random(2);
  const CsrGraph graph = random_edges(6, 7, 20, random);
  const auto product = [&](const auto& in) { return spmm(graph, in[0], in[1]); };
  expect_right_gradients(product,
                         {random_tensor({graph.edges()}, random), random_tensor({7, 11}, random)});
  expect_right_gradients(
      product, {random_tensor({graph.edges(), 2}, random), random_tensor({7, 18}, random)});
}

TEST(Spmm, GradientsOfOwnStatesAgreeWithFiniteDifferences) {
  Random random(7);
  const CsrGraph graph = random_edges(6, 7, 20, random);
  const CsrGraph square = random_edges(7, 7, 20, random);
  expect_right_gradients(
      [&](const auto& in) {
        return propagate(graph, {in[0], in[1]}, in[2], in[3]);
      },
      {random_tensor({graph.edges(), 2}, random), random_tensor({6, 2}, random),
       random_tensor({7, 4}, random), random_tensor({6, 4}, random)});
  expect_right_gradients(
      [&](const auto& in) {
        return propagate(square, {in[0], in[1]}, in[2], in[2]);
      },
      {random_tensor({square.edges()}, random), random_tensor({7}, random),
       random_tensor({7, 4}, random)});
}

TEST(Spmm, GivesWeightsNoGradientThatNobodyAskedFor) {
  Random random(3);
  const CsrGraph graph = random_edges(6, 7, 20, random);
  at::Tensor x = random_tensor({7, 3}, random, at::kFloat).set_requires_grad(true);
  spmm(graph, graph.weight, x).sum().backward();
  EXPECT_TRUE(x.grad().defined());
  EXPECT_FALSE(graph.weight.grad().defined());
}

TEST(Spmm, TheSameBitsWhateverTheNumberOfThreads) {
  Random random(4);
  for (CsrGraph graph :
       {random_edges(3000, 3000, 60000, random), graph_with_hubs(3000, 60000, random)}) {
    prepare(graph);
    expect_the_same_bits(
        [&](const auto& in) {
          return propagate(graph, {in[0], in[1]}, in[2], in[2]);
        },
        {random_tensor({graph.edges()}, random, at::kFloat),
         random_tensor({3000}, random, at::kFloat), random_tensor({3000, 33}, random, at::kFloat)});
  }
}

TEST(Spmm, RowsWithoutEdgesAreZero) {
  const CsrGraph graph = graph_from_edges(3, 2, {{1, 0, 2.0F}});
  const at::Tensor y = spmm(graph, graph.weight, at::zeros({2, 4}) + 1);
  EXPECT_EQ(y[0].abs().sum().item<float>(), 0.0F);
  EXPECT_EQ(y[1].sum().item<float>(), 8.0F);
}

}  // namespace
}  // namespace espalier
