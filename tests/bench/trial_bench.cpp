// A trial on cached features, and its parts beside the matrix products that bound them.
//
//   espalier's share: trial_bench --benchmark_filter=trial
//   graphs against the machine's limit: trial_bench --benchmark_filter='knn|gemm|spmm'
#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <benchmark/benchmark.h>
#include <spdlog/spdlog.h>

#include "train/trial.hpp"
#include <algorithm>
#include <espalier/core/process.hpp>
#include <espalier/core/random.hpp>
#include <espalier/graph/edges.hpp>
#include <espalier/graph/spmm.hpp>
#include <filesystem>

#include "train/resolved.hpp"

namespace espalier {
namespace {

namespace fs = std::filesystem;

at::Tensor random_rows(std::int64_t n, std::int64_t d) {
  Random random(1);
  at::Tensor x = at::empty({n, d}, at::kFloat);
  for (std::int64_t i = 0; i < x.numel(); ++i) {
    x.data_ptr<float>()[i] = static_cast<float>(random.normal());
  }
  return x;
}

void trial(benchmark::State& state) {
  at::set_num_threads(1);
  const Catalog catalog = testing_support::described(PluginPath::standard(current_executable()));
  Loader loader(catalog);
  const Json config = {{"dataset", {{"use", "flora"}, {"classes", 12}, {"per_class", 40}}},
                       {"captioner", {{"use", "none"}}},
                       {"encoder", {{"use", "classical"}}},
                       {"graph", {{"use", "threshold"}, {"tau_from", "degree"}}},
                       {"gnn", {{"use", "ga_net"}, {"layer", "gcn"}}},
                       {"peft", {{"use", "none"}}},
                       {"protocol", {{"shots", 8}}},
                       {"train", {{"epochs", state.range(0)}}},
                       {"seed", 1}};
  const fs::path folder = fs::temp_directory_path() / "espalier_trial_bench";
  fs::create_directories(folder / "trial");
  const TrialRequest request{.trial_id = "bench",
                             .combo_id = "bench",
                             .config = testing_support::resolved(config, loader),
                             .stages = {{"image_features", "bench", "{}"}},
                             .folder = folder / "trial",
                             .cache = folder / "cache"};
  const TrialHooks hooks{.loader = &loader,
                         .log = spdlog::default_logger().get(),
                         .stop = nullptr,
                         .epoch = {},
                         .stage = {},
                         .warning = {}};
  (void)run_trial(request, hooks);
  for (auto _ : state) benchmark::DoNotOptimize(run_trial(request, hooks));
  fs::remove_all(folder);
}
BENCHMARK(trial)->Arg(0)->Arg(60)->Unit(benchmark::kMillisecond);

// All similarities as plain products: the limit for an exact search.
void gemm(benchmark::State& state) {
  at::set_num_threads(1);
  const at::Tensor x = random_rows(state.range(0), 512);
  for (auto _ : state) {
    for (std::int64_t first = 0; first < x.size(0); first += 64) {
      benchmark::DoNotOptimize(
          x.slice(0, first, std::min(first + 64, x.size(0))).matmul(x.t()).data_ptr<float>());
    }
  }
}
BENCHMARK(gemm)->Arg(4096)->Unit(benchmark::kMillisecond);

void knn(benchmark::State& state) {
  at::set_num_threads(1);
  const at::Tensor x = random_rows(state.range(0), 512);
  for (auto _ : state) {
    benchmark::DoNotOptimize(SimilaritySearch(x).nearest_others(10));
  }
}
BENCHMARK(knn)->Arg(4096)->Unit(benchmark::kMillisecond);

// Bytes that the product must read from the states of its sources, a second.
void spmm_forward(benchmark::State& state) {
  at::set_num_threads(1);
  const at::Tensor x = random_rows(20000, 64);
  Random random(2);
  std::vector<Edge> edges;
  for (int e = 0; e < 400000; ++e) {
    edges.push_back({static_cast<std::int64_t>(random.below(20000)),
                     static_cast<std::int64_t>(random.below(20000)), 1.0F});
  }
  CsrGraph graph = graph_from_edges(20000, 20000, std::move(edges));
  prepare(graph);
  for (auto _ : state) benchmark::DoNotOptimize(spmm(graph, graph.weight, x).data_ptr<float>());
  state.SetBytesProcessed(state.iterations() * graph.edges() * 64 *
                          static_cast<std::int64_t>(sizeof(float)));
}
BENCHMARK(spmm_forward)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace espalier
