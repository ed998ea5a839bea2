// A pass over CLIP ViT-B/16's image tower with random weights, low-rank maps on q and v of its top
// three layers: values without a tape, a loss, and a replay in chunks.
//
// `times_bare` is its time over that of the same forwards and backwards written out by hand:
// forward without a tape, then forward and backward of each chunk. `peak_mib` is the most that
// tensors held at a time, `whole_tape_mib` the same for one tape over all samples.
#include <benchmark/benchmark.h>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/randn.h>
#include <c10/core/GradMode.h>

#include "train/live_bytes.hpp"
#include "train/pass.hpp"
#include "train/tower_source.hpp"
#include <algorithm>
#include <chrono>
#include <espalier/nn/parameters.hpp>
#include <espalier/nn/pretrained.hpp>
#include <functional>

#include "random_clip.hpp"

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t samples = 16, chunk = 4, cut = 9, rank = 4;

// The same activations every time, so that nothing but the pass is measured.
class Kept final : public espalier::ActivationSource {
 public:
  explicit Kept(at::Tensor states) : states_(std::move(states)) {}
  Taken begin(std::vector<espalier::Look> looks) const override {
    const auto first = static_cast<std::int64_t>(looks.front().sample);
    return [rows = states_.slice(0, first, first + std::ssize(looks))] {
      return espalier::Activations{rows.clone(), {}, {}};
    };
  }

 private:
  at::Tensor states_;
};

struct Adapted {
  Adapted() {
    espalier::Random random(std::uint64_t{1});
    for (const char* part : {"q", "v"}) {
      for (espalier::Site* site : encoder->sites(espalier::SiteRole::linear, part)) {
        if (site->tower == espalier::TowerKind::image && site->layer >= cut) adapt(*site, random);
      }
    }
  }
  void adapt(espalier::Site& site, espalier::Random& random) {
    const std::int64_t width = site.weight.size(0);
    const at::Tensor a =
        parameters.add(site.name + ".a", espalier::linear_init({rank, width}, random));
    const at::Tensor b =
        parameters.add(site.name + ".b", espalier::linear_init({width, rank}, random));
    site.hook_output([a, b](const at::Tensor& x, const at::Tensor& y, const espalier::Mode&) {
      return y + at::linear(at::linear(x, a), b);
    });
  }
  [[nodiscard]] at::Tensor feature(const at::Tensor& states) const {
    const espalier::Tower& tower = *encoder->image();
    return tower.advance({states, {}, {}}, cut, tower.layers() + 2, {}).states;
  }

  std::unique_ptr<espalier::AdaptableEncoder> encoder =
      espalier::load_pretrained(espalier::bench::random_clip());
  espalier::Parameters parameters;
  at::Tensor entering = at::randn({samples, 197, espalier::bench::RandomClip::vision_width});
};

at::Tensor loss_of(const at::Tensor& features) { return (features * features).sum(); }

void run_pass(const Adapted& adapted, std::int64_t at_a_time) {
  espalier::Sources sources;
  sources.images = std::make_shared<espalier::TowerSource>(
      *adapted.encoder->image(), cut, std::make_shared<Kept>(adapted.entering), at_a_time);
  std::vector<espalier::Look> looks;
  for (std::size_t i = 0; i < samples; ++i) looks.push_back({.sample = i});
  espalier::StateBank bank;
  espalier::Pass pass(sources, bank, looks, {}, espalier::ReplayedRows::Compare::no);
  loss_of(pass.values().images).backward();
  pass.backward();
}

void run_bare(const Adapted& adapted) {
  std::vector<at::Tensor> parts;
  {
    const c10::AutoGradMode without_tape(false);
    for (std::int64_t i = 0; i < samples; i += chunk) {
      parts.push_back(adapted.feature(adapted.entering.slice(0, i, i + chunk)));
    }
  }
  const at::Tensor values = at::cat(parts).set_requires_grad(true);
  loss_of(values).backward();
  for (std::int64_t i = 0; i < samples; i += chunk) {
    adapted.feature(adapted.entering.slice(0, i, i + chunk))
        .backward(values.grad().slice(0, i, i + chunk));
  }
}

double seconds(const std::function<void()>& call) {
  const auto begin = Clock::now();
  call();
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

double peak_mib(const Adapted& adapted, std::int64_t at_a_time) {
  const espalier::LiveBytes live;
  run_pass(adapted, at_a_time);
  return static_cast<double>(live.peak()) / (1 << 20);
}

void pass(benchmark::State& state) {
  at::set_num_threads(static_cast<int>(state.range(0)));
  const Adapted adapted;
  run_bare(adapted);
  double ours = 1e9, bare = 1e9;
  for (auto _ : state) {
    bare = std::min(bare, seconds([&] { run_bare(adapted); }));
    ours = std::min(ours, seconds([&] { run_pass(adapted, chunk); }));
  }
  state.counters["pass_s"] = ours;
  state.counters["times_bare"] = ours / bare;
  state.counters["peak_mib"] = peak_mib(adapted, chunk);
  state.counters["whole_tape_mib"] = peak_mib(adapted, samples);
}

BENCHMARK(pass)->Arg(1)->Arg(2)->Iterations(5)->Unit(benchmark::kMillisecond);

}  // namespace
