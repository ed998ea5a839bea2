// From the folders of finished trials to sweep.h5 and trials.csv. The goal is 1 s for 10,000 trials
// of 60 epochs, sync to disk included.
//
// The folders are made first, which takes longer than what is measured, and stay in the page cache.
#include <benchmark/benchmark.h>

#include "results/sweep_file.hpp"
#include <filesystem>

#include "results/sweep_support.hpp"

namespace espalier {
namespace {

// As long as a configuration of CLIP, LoRA and a graph: about 1.5 kB.
Json filler() {
  Json section = Json::object();
  for (int i = 0; i < 50; ++i) section["parameter_" + std::to_string(i)] = 0.5 + i;
  return {{"encoder", section}, {"train", {{"lr", 1e-3}, {"epochs", 60}}}};
}

void merge(benchmark::State& state) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / "espalier_merge_bench";
  std::vector<MadeTrial> trials;
  for (std::int64_t i = 0; i < state.range(0); ++i) {
    const std::int64_t combination = i / 5;
    const Json axes = {{"graph.tau", 0.001 * static_cast<double>(combination % 200)},
                       {"gnn.use", combination % 2 == 0 ? "gcn" : "gat"},
                       {"seed", i % 5}};
    trials.push_back(
        {axes, "combo" + std::to_string(combination), i % 5, 0.5, "complete", 60, filler()});
  }
  write_experiment(folder, {"graph.tau", "gnn.use", "seed"}, trials);
  for (auto _ : state) write_sweep(SweepTable::read(folder, false));
  state.counters["trials/s"] = benchmark::Counter(static_cast<double>(state.range(0)),
                                                  benchmark::Counter::kIsIterationInvariantRate);
  state.counters["sweep_MB"] =
      static_cast<double>(std::filesystem::file_size(folder / "sweep.h5")) / 1e6;
  std::filesystem::remove_all(folder);
}
BENCHMARK(merge)->Arg(10'000)->Unit(benchmark::kMillisecond)->UseRealTime()->Iterations(3);

}  // namespace
}  // namespace espalier
