// Sums over the edges of graphs that join many of their nodes, forward and backward, against the
// same as a product with the whole matrix: `times` is how often the second fits into the first.
// Arguments: nodes, joined pairs in percent, width, whether the weights have gradients.
#include <benchmark/benchmark.h>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>

#include <algorithm>
#include <chrono>
#include <espalier/core/random.hpp>

#include "graph/dense_product_internal.hpp"

namespace espalier {
namespace {

CsrGraph drawn_graph(std::int64_t nodes, double percent) {
  Random random(std::uint64_t{1});
  std::vector<Edge> edges;
  for (std::int64_t i = 0; i < nodes; ++i) {
    for (std::int64_t j = 0; j < nodes; ++j) {
      if (random.uniform(0, 100) < percent) edges.push_back({i, j, 1.0F});
    }
  }
  CsrGraph graph = graph_from_edges(nodes, nodes, std::move(edges));
  prepare(graph);
  return graph;
}

template <class Forward>
double seconds(const at::Tensor& x, const at::Tensor& weight, const Forward& forward) {
  double best = 1e9;
  for (int round = 0; round < 6; ++round) {
    for (const at::Tensor& leaf : {x, weight}) leaf.mutable_grad() = at::Tensor();
    const auto start = std::chrono::steady_clock::now();
    forward().sum().backward();
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    best = std::min(best, spent.count());
  }
  return best;
}

void dense(benchmark::State& state) {
  at::set_num_threads(1);
  CsrGraph graph = drawn_graph(state.range(0), static_cast<double>(state.range(1)));
  const at::Tensor x = at::randn({state.range(0), state.range(2)}).set_requires_grad(true);
  const at::Tensor weight = graph.weight.clone().set_requires_grad(state.range(3) == 1);
  const MessageWeights weights{.edge = weight, .own = {}};
  for (auto _ : state) {
    const double whole = seconds(x, weight, [&] { return dense_propagate(graph, weights, x, x); });
    graph.source_degree = weight.detach();  // as of attached queries, which go over their edges
    const double edges = seconds(x, weight, [&] { return propagate(graph, weights, x, x); });
    state.SetIterationTime(whole);
    state.counters["times"] = edges / whole;
  }
}
BENCHMARK(dense)
    ->ArgsProduct({{200, 1600, 4000}, {25, 50, 100}, {16, 64, 512}, {0, 1}})
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);

}  // namespace
}  // namespace espalier
