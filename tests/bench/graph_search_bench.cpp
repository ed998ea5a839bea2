// Exact neighbours of a set among itself, 512 numbers a row, against the full matrix product of the
// set with itself: `of_gemm` is the search's processor time over that of n^2 products in tiles that
// are only computed, measured beside it. `extra_mib` is what the process's peak of memory grew by.
// `ivf` is graph/knn_ivf, whole: cells, search, edges, and the measured `recall` of its ten
// neighbours; its arguments are rows, threads, probes.
// The last lines fit time ~ n^exponent from the smallest to the largest set.
//
//   graph_search_bench --benchmark_filter=30000
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include <ctime>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <c10/core/GradMode.h>

#include <cmath>
#include <cstdio>
#include <espalier/graph/similarity.hpp>
#include <espalier/graph/thresholds.hpp>
#include <espalier/plugin/graph.hpp>
#include <map>
#include <string>

#include "plugins/plugin_support.hpp"

namespace {

// Of all threads of this process: other programs on the machine do not count.
double cpu_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

constexpr std::int64_t width = 512;

double peak_mib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

// Clusters, so that neighbours are nearer than others, as in features of pictures.
at::Tensor rows(std::int64_t n) {
  const c10::AutoGradMode without_gradients(false);
  at::Tensor x = at::randn({n, width});
  const at::Tensor centres = at::randn({100, width});
  for (std::int64_t c = 0; c < 100; ++c) {
    x.slice(0, c * n / 100, (c + 1) * n / 100) += centres[c] * 0.7;
  }
  return x;
}

// A block of rows against all, as often as it takes to have n^2 products; a sample of the blocks.
double gemm_seconds(const at::Tensor& x) {
  constexpr std::int64_t block = 4096, blocks = 4;
  const std::int64_t n = x.size(0), side = std::min(block, n);
  at::Tensor out = at::empty({side, side});
  at::mm_out(out, x.slice(0, 0, side), x.slice(0, 0, side).t());
  const double begin = cpu_seconds();
  for (std::int64_t b = 0; b < blocks; ++b) {
    const std::int64_t first = b * (n - side) / blocks;
    at::mm_out(out, x.slice(0, first, first + side), x.slice(0, 0, side).t());
  }
  const double seconds = cpu_seconds() - begin;
  const auto share = static_cast<double>(blocks * side * side);
  return seconds * static_cast<double>(n) * static_cast<double>(n) / share;
}

std::map<std::string, std::map<std::int64_t, double>>& times() {
  static std::map<std::string, std::map<std::int64_t, double>> all;
  return all;
}

void say_exponent(const std::string& name) {
  const auto& by_size = times()[name];
  if (by_size.size() < 2) return;
  const auto [small, fast] = *by_size.begin();
  const auto [large, slow] = *by_size.rbegin();
  std::printf(
      "%s: time ~ n^%.2f from %lld to %lld\n", name.c_str(),
      std::log(slow / fast) / std::log(static_cast<double>(large) / static_cast<double>(small)),
      static_cast<long long>(small), static_cast<long long>(large));
}

template <class Search>
void measure(benchmark::State& state, const std::string& name, const Search& search) {
  at::set_num_threads(static_cast<int>(state.range(1)));
  const at::Tensor x = rows(state.range(0));
  for (auto _ : state) {
    const double limit = gemm_seconds(x), before = peak_mib();
    const double begin = cpu_seconds();
    const std::size_t edges = search(x);
    const double seconds = cpu_seconds() - begin;
    const double again = gemm_seconds(x);
    state.SetIterationTime(seconds);
    state.counters["of_gemm"] = seconds / ((limit + again) / 2);
    state.counters["extra_mib"] = peak_mib() - before;
    state.counters["edges"] = static_cast<double>(edges);
    times()[name + ", " + std::to_string(state.range(1)) + " threads"][state.range(0)] = seconds;
  }
  say_exponent(name + ", " + std::to_string(state.range(1)) + " threads");
}

std::size_t count(const espalier::Neighbours& found) {
  std::size_t edges = 0;
  for (const auto& list : found) edges += list.size();
  return edges;
}

void nearest(benchmark::State& state) {
  measure(state, "nearest", [](const at::Tensor& x) {
    return count(espalier::SimilaritySearch(x).nearest_others(10));
  });
}

void threshold(benchmark::State& state) {
  const at::Tensor sample = rows(std::min<std::int64_t>(4000, state.range(0)));
  const double tau = espalier::tau_for_degree(
      espalier::SimilaritySearch(sample),
      10.0 * static_cast<double>(sample.size(0)) / static_cast<double>(state.range(0)));
  measure(state, "threshold", [tau](const at::Tensor& x) {
    return count(espalier::SimilaritySearch(x).others_within(tau));
  });
}

void ivf(benchmark::State& state) {
  const auto builder = espalier::testing_support::make<espalier::GraphBuilder>(
      "knn_ivf", {{"probes", state.range(2)}});
  measure(state, "ivf, " + std::to_string(state.range(2)) + " probes", [&](const at::Tensor& x) {
    const auto support = builder->support({.features = x});
    state.counters["recall"] = support->graph().facts.at("recall").get<double>();
    return static_cast<std::size_t>(support->graph().edges());
  });
}

void sizes(benchmark::internal::Benchmark* bench) {
  for (const std::int64_t threads : {1, 2}) {
    for (const std::int64_t n : {10000, 30000, 100000}) bench->Args({n, threads});
  }
  bench->UseManualTime()->Unit(benchmark::kSecond)->Iterations(1);
}

BENCHMARK(nearest)->Apply(sizes);
BENCHMARK(threshold)->Apply(sizes);
BENCHMARK(ivf)
    ->ArgsProduct({{10000, 100000}, {1, 2}, {4, 16, 64}})
    ->UseManualTime()
    ->Unit(benchmark::kSecond)
    ->Iterations(1);

}  // namespace
