#include "graph/dense_product_internal.hpp"

#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>

#include "graph/kernels.hpp"

namespace espalier {
namespace {

using testing_support::expect_right_gradients;
using testing_support::random_edges;
using testing_support::random_tensor;

CsrGraph complete_graph(std::int64_t nodes, std::int64_t every = 1) {
  std::vector<Edge> edges;
  for (std::int64_t i = 0; i < nodes; ++i) {
    for (std::int64_t j = 0; j < nodes; j += every) edges.push_back({i, j, 1.0F});
  }
  return graph_from_edges(nodes, nodes, std::move(edges));
}

TEST(DenseProduct, IsTheProductOverTheEdges) {
  Random random(1);
  const CsrGraph graph = random_edges(9, 9, 40, random);
  const at::Tensor weight = random_tensor({graph.edges()}, random);
  const at::Tensor own = random_tensor({9}, random), x = random_tensor({9, 5}, random);
  for (const MessageWeights& weights :
       {MessageWeights{{}, {}}, MessageWeights{weight, {}}, MessageWeights{weight, own},
        MessageWeights{weight.view({-1, 1}), own.view({-1, 1})}}) {
    const at::Tensor sparse = propagate(graph, weights, x, x);
    EXPECT_LT((dense_propagate(graph, weights, x, x) - sparse).abs().max().item<double>(), 1e-13);
  }
}

TEST(DenseProduct, CountsDuplicatesAsOftenAsTheyOccur) {
  CsrGraph graph;
  graph.targets = graph.sources = 2;
  graph.rowptr = at::tensor({0, 2, 2}, at::kLong);
  graph.col = at::tensor({1, 1}, at::kLong);
  const at::Tensor x = at::tensor({3.0, 5.0}, at::kDouble).view({2, 1});
  const at::Tensor y = dense_propagate(graph, {at::tensor({2.0, 4.0}, at::kDouble), {}}, x, x);
  EXPECT_EQ(y[0].item<double>(), 30);
  EXPECT_EQ(y[1].item<double>(), 0);
}

TEST(DenseProduct, HasTheRightGradients) {
  Random random(2);
  const CsrGraph graph = random_edges(6, 6, 20, random);
  expect_right_gradients(
      [&](const std::vector<at::Tensor>& in) {
        return dense_propagate(graph, {in[0], in[1]}, in[2], in[2]);
      },
      {random_tensor({graph.edges()}, random), random_tensor({6}, random),
       random_tensor({6, 3}, random)});
}

TEST(DenseProduct, IsTakenOfSquareGraphsThatJoinHalfOfAllPairs) {
  const at::Tensor x = at::zeros({300, 32});
  const CsrGraph all = complete_graph(300), some = complete_graph(300, 3);
  EXPECT_TRUE(dense_is_faster(all, {}, x));
  EXPECT_FALSE(dense_is_faster(some, {}, x));
  EXPECT_FALSE(dense_is_faster(all, {.edge = at::zeros({all.edges(), 2}), .own = {}}, x))
      << "heads";
  EXPECT_FALSE(dense_is_faster(all, {}, x.slice(1, 0, 8))) << "few numbers a node";
  EXPECT_FALSE(dense_is_faster(complete_graph(40), {}, at::zeros({40, 32}))) << "few edges";
  CsrGraph attached = all;
  attached.source_degree = at::zeros({300});
  EXPECT_FALSE(dense_is_faster(attached, {}, x)) << "queries";
}

// What an update begins with is what an evaluation said before it, bit for bit.
TEST(DenseProduct, SaysTheSameWithATapeAndWithout) {
  Random random(3);
  const CsrGraph graph = complete_graph(300);
  const at::Tensor weight = random_tensor({graph.edges()}, random, at::kFloat);
  const at::Tensor x = random_tensor({300, 32}, random, at::kFloat);
  const at::Tensor without = propagate(graph, {.edge = weight, .own = {}}, x, x);
  const at::Tensor with =
      propagate(graph, {.edge = weight.clone().set_requires_grad(true), .own = {}},
                x.clone().set_requires_grad(true), x);
  EXPECT_TRUE(with.detach().equal(without));
}

}  // namespace
}  // namespace espalier
