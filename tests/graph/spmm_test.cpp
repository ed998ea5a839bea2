#include <espalier/graph/spmm.hpp>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <gtest/gtest.h>

#include <espalier/core/random.hpp>

namespace espalier {
namespace {

at::Tensor random_tensor(at::IntArrayRef sizes, Random& random, at::ScalarType type = at::kDouble) {
  at::Tensor tensor = at::empty(sizes, at::kDouble);
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    tensor.data_ptr<double>()[i] = random.normal();
  }
  return tensor.to(type);
}

CsrGraph random_graph(std::int64_t targets, std::int64_t sources, int edges, Random& random) {
  std::vector<Edge> list;
  for (int e = 0; e < edges; ++e) {
    list.push_back({static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(targets))),
                    static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(sources))),
                    static_cast<float>(random.uniform(0.1, 2))});
  }
  return graph_from_edges(targets, sources, list);
}

at::Tensor dense(const CsrGraph& graph, const at::Tensor& weight) {
  at::Tensor matrix = at::zeros({graph.targets, graph.sources}, weight.options());
  const auto index = edge_index(graph);
  for (std::int64_t e = 0; e < graph.edges(); ++e) {
    matrix[index->row[e].item<std::int64_t>()][graph.col[e].item<std::int64_t>()] = weight[e];
  }
  return matrix;
}

TEST(Spmm, IsTheProductWithTheDenseMatrix) {
  Random random(1);
  const CsrGraph graph = random_graph(13, 17, 60, random);
  const at::Tensor weight = random_tensor({graph.edges()}, random);
  const at::Tensor x = random_tensor({17, 5}, random);
  const at::Tensor expected = dense(graph, weight).matmul(x);
  EXPECT_LT((spmm(graph, weight, x) - expected).abs().max().item<double>(), 1e-13);
}

// Against central differences in double: error of order h^2 plus 1e-16 / h, so 1e-8 at h = 1e-5.
TEST(Spmm, GradientsAgreeWithFiniteDifferences) {
  Random random(2);
  const CsrGraph graph = random_graph(6, 7, 20, random);
  const at::Tensor probe = random_tensor({6, 3}, random);
  at::Tensor weight = random_tensor({graph.edges()}, random).set_requires_grad(true);
  at::Tensor x = random_tensor({7, 3}, random).set_requires_grad(true);
  (spmm(graph, weight, x) * probe).sum().backward();
  for (at::Tensor input : {weight, x}) {
    const at::Tensor values = input.detach();
    for (std::int64_t i = 0; i < values.numel(); ++i) {
      double* value = values.data_ptr<double>() + i;
      const double kept = *value;
      const auto loss = [&](double shifted) {
        *value = shifted;
        return (spmm(graph, weight.detach(), x.detach()) * probe).sum().item<double>();
      };
      const double slope = (loss(kept + 1e-5) - loss(kept - 1e-5)) / 2e-5;
      *value = kept;
      EXPECT_NEAR(input.grad().flatten()[i].item<double>(), slope, 1e-8);
    }
  }
}

TEST(Spmm, GivesWeightsNoGradientThatNobodyAskedFor) {
  Random random(3);
  const CsrGraph graph = random_graph(6, 7, 20, random);
  at::Tensor x = random_tensor({7, 3}, random, at::kFloat).set_requires_grad(true);
  spmm(graph, graph.weight, x).sum().backward();
  EXPECT_TRUE(x.grad().defined());
  EXPECT_FALSE(graph.weight.grad().defined());
}

TEST(Spmm, TheSameBitsWhateverTheNumberOfThreads) {
  Random random(4);
  CsrGraph graph = random_graph(3000, 3000, 60000, random);
  prepare(graph);
  const at::Tensor start = random_tensor({3000, 33}, random, at::kFloat);
  const int before = at::get_num_threads();
  const auto run = [&](int threads) {
    at::set_num_threads(threads);
    const at::Tensor x = start.clone().set_requires_grad(true);
    const at::Tensor y = spmm(graph, graph.weight, x);
    (y * y).sum().backward();
    return std::pair(y.detach(), x.grad());
  };
  const auto [y1, g1] = run(1);
  const auto [y4, g4] = run(4);
  at::set_num_threads(before);
  EXPECT_TRUE(y1.equal(y4));
  EXPECT_TRUE(g1.equal(g4));
}

TEST(Spmm, RowsWithoutEdgesAreZero) {
  const CsrGraph graph = graph_from_edges(3, 2, {{1, 0, 2.0F}});
  const at::Tensor y = spmm(graph, graph.weight, at::zeros({2, 4}) + 1);
  EXPECT_EQ(y[0].abs().sum().item<float>(), 0.0F);
  EXPECT_EQ(y[1].sum().item<float>(), 8.0F);
}

}  // namespace
}  // namespace espalier
