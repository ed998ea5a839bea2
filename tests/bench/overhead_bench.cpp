// What a trial costs besides its work: request, folder, journal, result.h5, report. The trials do
// nothing, so all of the time is overhead; the goal is 20 ms a trial. Starting and ending the
// workers is spread over the trials of a run.
#include <benchmark/benchmark.h>

#include "run/scheduler.hpp"
#include <espalier/core/process.hpp>
#include <filesystem>
#include <optional>

namespace espalier {
namespace {

struct Nobody : SweepObserver {
  void started(std::size_t, std::size_t) override {}
  void stage(std::size_t, std::string_view) override {}
  void progress(std::size_t, std::string_view, std::size_t, std::size_t) override {}
  void warning(const std::string&) override {}
  void epoch(std::size_t, std::int64_t, const std::string&, double) override {}
  void ended(std::size_t, std::size_t, TrialOutcome, const std::string&) override {}
  void stopping(int) override {}
  void overdue(std::size_t) override {}
  void tick() override {}
};

void overhead(benchmark::State& state) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / "espalier_overhead_bench";
  std::vector<QueuedTrial> trials;
  for (std::size_t i = 0; i < 200; ++i) trials.push_back({i, {}});
  SchedulerOptions options;
  options.worker.arguments = {(current_executable().parent_path() / "fake_worker").string()};
  options.workers = static_cast<std::size_t>(state.range(0));
  options.request = [&](std::size_t i) {
    TrialRequest request;
    request.trial_id = "trial" + std::to_string(i);
    request.combo_id = "combo";
    request.config = {{"seed", i}, {"dataset", {{"use", "fake"}, {"epochs", 60}}}};
    request.folder = folder / request.trial_id;
    return std::optional(request);
  };
  Nobody nobody;
  for (auto _ : state) {
    (void)run_trials(options, trials, nobody);
    state.PauseTiming();
    std::filesystem::remove_all(folder);
    state.ResumeTiming();
  }
  state.counters["s/trial"] = benchmark::Counter(
      static_cast<double>(trials.size()),
      benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(overhead)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace espalier
