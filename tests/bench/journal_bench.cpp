// Lines of a journal: appended, appended with the disk waited for, read.
#include <benchmark/benchmark.h>

#include "results/journal.hpp"
#include "results/trial_record.hpp"
#include <filesystem>

namespace espalier {
namespace {

const Json line = epoch_record({12, 480, "val", 0.8312, 0.734, 1e-3, 3.25});

std::filesystem::path fresh_file() {
  const std::filesystem::path file = std::filesystem::temp_directory_path() / "espalier_journal";
  std::filesystem::remove(file);
  return file;
}

void append(benchmark::State& state) {
  Journal journal(fresh_file());
  for (auto _ : state) journal.append(line);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(append)->UseRealTime();

void append_durably(benchmark::State& state) {
  Journal journal(fresh_file());
  for (auto _ : state) journal.append_durably(line);
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(append_durably)->UseRealTime();

void read(benchmark::State& state) {
  const std::filesystem::path file = fresh_file();
  {
    Journal journal(file);
    for (int i = 0; i < 10'000; ++i) journal.append(line);
  }
  for (auto _ : state) benchmark::DoNotOptimize(read_journal(file));
  state.SetItemsProcessed(state.iterations() * 10'000);
}
BENCHMARK(read)->UseRealTime();

}  // namespace
}  // namespace espalier
