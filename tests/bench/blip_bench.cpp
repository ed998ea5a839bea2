// BLIP on the folder that ESPALIER_BENCH_BLIP names: eight pictures, greedy, 20 tokens each after
// the first. blip_peer.py makes the folder, runs this beside Transformers and prints ratios.
#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <espalier/nn/blip.hpp>
#include <fstream>
#include <optional>
#include <string>

namespace espalier {
namespace {

constexpr std::int64_t pictures = 8, tokens = 20;

const Blip* blip() {
  static const std::optional<Blip> loaded = [] {
    const char* folder = std::getenv("ESPALIER_BENCH_BLIP");
    return folder == nullptr ? std::optional<Blip>() : std::optional<Blip>(folder);
  }();
  return loaded ? &*loaded : nullptr;
}

double peak_megabytes() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  }
  return 0;
}

const Blip* begin(benchmark::State& state) {
  at::set_num_threads(static_cast<int>(state.range(0)));
  if (blip() == nullptr) state.SkipWithError("ESPALIER_BENCH_BLIP names no folder");
  return blip();
}

at::Tensor random_pixels(const Blip& blip) {
  return at::randn({pictures, 3, blip.image_size(), blip.image_size()});
}

at::Tensor seen(const Blip& blip, const at::Tensor& pixels) {
  return blip.look(pictures, [&](std::int64_t i) { return pixels[i]; });
}

void say(benchmark::State& state, const Blip& blip, const at::Tensor& states) {
  GenerationRules rules = blip.rules(1);
  rules.max_new_tokens = rules.min_new_tokens = tokens;
  const std::vector<std::int64_t> prompt = {blip.first_token()};
  const auto texts = blip.tell(states, prompt, rules);
  if (texts.back().ids.size() != tokens) state.SkipWithError("a caption of another length");
}

void look(benchmark::State& state) {
  const Blip* const model = begin(state);
  if (model == nullptr) return;
  const at::Tensor pixels = random_pixels(*model);
  for (auto _ : state) benchmark::DoNotOptimize(seen(*model, pixels));
}

void words(benchmark::State& state) {
  const Blip* const model = begin(state);
  if (model == nullptr) return;
  const at::Tensor states = seen(*model, random_pixels(*model));
  for (auto _ : state) say(state, *model, states);
}

void captions(benchmark::State& state) {
  const Blip* const model = begin(state);
  if (model == nullptr) return;
  const at::Tensor pixels = random_pixels(*model);
  for (auto _ : state) say(state, *model, seen(*model, pixels));
  state.counters["peak_megabytes"] = peak_megabytes();
}

// What the BLAS does for the tower's largest product, in GFLOP/s.
void product(benchmark::State& state) {
  at::set_num_threads(static_cast<int>(state.range(0)));
  const at::Tensor a = at::randn({577 * pictures, 768}), b = at::randn({768, 3072});
  for (auto _ : state) benchmark::DoNotOptimize(at::mm(a, b));
  state.counters["gflops"] = benchmark::Counter(2e-9 * 577 * pictures * 768 * 3072,
                                                benchmark::Counter::kIsIterationInvariantRate);
}

#define ON_THREADS Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime()
BENCHMARK(product)->ON_THREADS;
BENCHMARK(look)->ON_THREADS;
BENCHMARK(words)->ON_THREADS;
BENCHMARK(captions)->ON_THREADS;

}  // namespace
}  // namespace espalier
