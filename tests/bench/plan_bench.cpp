// From an experiment to 100,000 planned trials. The goal is 2 s and 300 MB.
#include <benchmark/benchmark.h>
#include <sys/resource.h>

#include "experiment/plan.hpp"
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "experiment/components.hpp"

namespace espalier {
namespace {

// What is swept decides: values that many trials share are resolved once.
const std::vector<std::vector<std::string>> sweeps = {
    {"gnn=gcn,gin,ga_net,mlp", "gnn.bottleneck=16,32,64,128,256", "graph.tau=range(0,1,0.1)",
     "train.lr=range(0.1,1.1,0.1)", "seed=range(0,50)"},
    {"seed=range(0,100000)"},
    {"train.lr=range(0.01,1.01,0.01)", "train.warmup=range(0,0.1,0.01)",
     "train.weight_decay=range(0,1,0.01)"},  // every trial has a train section of its own
};

void plan_100k(benchmark::State& state) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / "espalier_plan_bench";
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "e.yaml") << testing_support::base_text;
  const Catalog catalog = Catalog::of(testing_support::components());
  std::size_t trials = 0;
  for (auto _ : state) {
    const ExperimentSource source =
        ExperimentSource::read(folder / "e.yaml", sweeps[static_cast<std::size_t>(state.range(0))]);
    trials = Plan::make(source, catalog, folder / "results").trials().size();
  }
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  state.counters["trials"] = static_cast<double>(trials);
  state.counters["peak_MB"] = static_cast<double>(usage.ru_maxrss) / 1024;
  std::filesystem::remove_all(folder);
}
BENCHMARK(plan_100k)->DenseRange(0, 2)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace espalier
