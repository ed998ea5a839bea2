// CLIP ViT-B/16 with random weights, against the machine's own limit measured in the same run.
//
// `share_of_peak` is the encoder's GFLOP/s over those of a 2048-cubed matrix product of the same
// type and on as many threads. `times_padded` is how much faster prompts are than padded to 77.
#include <benchmark/benchmark.h>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/full.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/randn.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <chrono>
#include <espalier/nn/pretrained.hpp>
#include <vector>

#include "random_clip.hpp"

namespace {

using Clock = std::chrono::steady_clock;

using espalier::bench::random_clip;
using Shape = espalier::bench::RandomClip;

double seconds(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

// GFLOP/s of the best of eight products.
double gemm_peak(at::ScalarType type) {
  constexpr std::int64_t n = 2048;
  const at::Tensor a = at::randn({n, n}).to(type), b = at::randn({n, n}).to(type);
  double best = 1e9;
  for (int i = 0; i < 8; ++i) {
    const auto begin = Clock::now();
    benchmark::DoNotOptimize(at::mm(a, b));
    best = std::min(best, seconds(begin));
  }
  return 2e-9 * n * n * n / best;
}

// Multiply-adds count as two.
double gflop_an_image() {
  constexpr double l = 197, w = Shape::vision_width;
  const double layer = 2 * l * (4 * w * w + 8 * w * w) + 4 * l * l * w;
  return 1e-9 * (Shape::layers * layer + 2 * 196 * w * (3 * 16 * 16) + 2 * w * Shape::feature);
}

void images(benchmark::State& state, const char* precision) {
  const c10::AutoGradMode without_gradients(false);
  at::set_num_threads(static_cast<int>(state.range(0)));
  const auto encoder = espalier::load_pretrained(
      random_clip(), {.families = {}, .device = "cpu", .precision = precision});
  const at::ScalarType type = espalier::precision_of(precision, at::kCPU);
  const at::Tensor pixels = at::randn({16, 3, 224, 224});
  benchmark::DoNotOptimize(espalier::image_features(*encoder->image(), pixels));
  double peak = gemm_peak(type), fastest = 1e9;
  for (auto _ : state) {
    const auto begin = Clock::now();
    benchmark::DoNotOptimize(espalier::image_features(*encoder->image(), pixels));
    fastest = std::min(fastest, seconds(begin));
  }
  peak = std::max(peak, gemm_peak(type));
  state.counters["images/s"] = 16 / fastest;
  state.counters["peak_gflops"] = peak;
  state.counters["share_of_peak"] = gflop_an_image() * 16 / fastest / peak;
}

// 102 prompts of 8 to 16 tokens.
std::vector<std::vector<std::int64_t>> prompts() {
  std::vector<std::vector<std::int64_t>> ids(102);
  for (std::size_t i = 0; i < ids.size(); ++i) {
    ids[i].assign(8 + i % 9, static_cast<std::int64_t>(1000 + i));
    ids[i].front() = 49406;
    ids[i].back() = 49407;
  }
  return ids;
}

void texts(benchmark::State& state) {
  const c10::AutoGradMode without_gradients(false);
  at::set_num_threads(static_cast<int>(state.range(0)));
  const auto encoder = espalier::load_pretrained(random_clip());
  const auto ids = prompts();
  const at::Tensor padded = at::full({102, 77}, 49407, at::kLong);
  padded.slice(1, 0, 12).fill_(1000);
  double slow = 1e9, fast = 1e9;
  for (auto _ : state) {
    auto begin = Clock::now();
    benchmark::DoNotOptimize(espalier::forward(*encoder->text(), {padded, {}, {}}).feature);
    slow = std::min(slow, seconds(begin));
    begin = Clock::now();
    benchmark::DoNotOptimize(espalier::text_features(*encoder->text(), ids));
    fast = std::min(fast, seconds(begin));
  }
  state.counters["prompts/s"] = 102 / fast;
  state.counters["padded/s"] = 102 / slow;
  state.counters["times_padded"] = slow / fast;
}

void load(benchmark::State& state) {
  (void)random_clip();
  for (auto _ : state) benchmark::DoNotOptimize(espalier::load_pretrained(random_clip()));
}

BENCHMARK_CAPTURE(images, float32, "float32")->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(images, bfloat16, "bfloat16")->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond);
BENCHMARK(texts)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond);
BENCHMARK(load)->Unit(benchmark::kMillisecond);

}  // namespace
