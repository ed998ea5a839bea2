// Graph layers forward and backward: 100,000 nodes, 1,000,000 random edges, width 128, gradients of
// parameters and of the input. layers_peer.py runs this beside PyTorch Geometric and prints ratios.
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <espalier/core/random.hpp>
#include <espalier/plugin/gnn_states.hpp>

#include "plugins/plugin_support.hpp"
#include "run/freed_memory.hpp"

#include "on_threads.hpp"

namespace espalier {
namespace {

constexpr std::int64_t nodes = 100000;
constexpr std::int64_t edge_count = 1000000;
constexpr std::int64_t width = 128;

const CsrGraph& random_graph() {
  static const CsrGraph graph = [] {
    Random random(std::uint64_t{1});
    const auto node = [&] { return static_cast<std::int64_t>(random.below(nodes)); };
    std::vector<Edge> edges;
    for (std::int64_t e = 0; e < edge_count; ++e) {
      const std::int64_t target = node();
      edges.push_back({target, (target + 1 + node() % (nodes - 1)) % nodes, 1.0F});
    }
    CsrGraph made = graph_from_edges(nodes, nodes, std::move(edges));
    prepare(made);
    return made;
  }();
  return graph;
}

at::Tensor random_rows() {
  Random random(std::uint64_t{2});
  at::Tensor x = at::empty({nodes, width}, at::kFloat);
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    x.data_ptr<float>()[i] = static_cast<float>(random.normal());
  }
  return x;
}

void layer(benchmark::State& state, const std::string& name, const Json& params) {
  at::set_num_threads(static_cast<int>(state.range(0)));
  const auto gnn = testing_support::make<Gnn>(name, params);
  Parameters parameters;
  Random random(std::uint64_t{3});
  gnn->init(width, parameters, random);
  const at::Tensor x = random_rows().set_requires_grad(true);
  const CsrGraph& graph = random_graph();
  for (auto _ : state) {
    x.mutable_grad() = at::Tensor();
    for (at::Tensor tensor : parameters.tensors()) tensor.mutable_grad() = at::Tensor();
    run_gnn(*gnn, x, graph, {}).output.sum().backward();
    benchmark::DoNotOptimize(x.grad().data_ptr<float>());
  }
}

void add(const std::string& name, const std::string& component, Json params) {
  params["layers"] = 1;
  bench::on_threads(name.c_str(),
                    [=](benchmark::State& state) { layer(state, component, params); });
}

const bool added = [] {
  keep_freed_memory();  // as workers do
  add("gcn", "gcn", {});
  add("gat", "gat", {{"heads", 4}});
  add("sage", "sage", {});
  return true;
}();

}  // namespace
}  // namespace espalier
