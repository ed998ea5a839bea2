// Training and inference of CLIP ViT-B/16's image tower with random weights, 16 pictures a batch,
// float32:
//
// - lora_all: LoRA of rank 8 on q and v of all layers, an update; what enters the first is kept.
// - lora_top3: the same in the top three layers; what enters the tenth is kept, as it is from the
//   second epoch on.
// - full: every weight trained, an update from pixels.
// - plain: features of pictures, without a method.
// - merged: the same with LoRA in all layers, folded into the weights.
//
// An update is a pass, its gradients, and AdamW. peft_peer.py runs this beside Hugging Face PEFT
// and prints ratios.
#include <benchmark/benchmark.h>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/randn.h>
#include <c10/core/GradMode.h>

#include "run/freed_memory.hpp"
#include "train/pass.hpp"
#include "train/tower_source.hpp"
#include <espalier/nn/adamw.hpp>
#include <espalier/nn/pretrained.hpp>
#include <espalier/plugin/peft.hpp>
#include <memory>
#include <string>

#include "plugins/plugin_support.hpp"

#include "on_threads.hpp"
#include "random_clip.hpp"

namespace espalier {
namespace {

constexpr std::int64_t batch = 16;

// The same activations every time, so that nothing but the update is measured.
class Kept final : public ActivationSource {
 public:
  explicit Kept(at::Tensor states) : states_(std::move(states)) {}
  Taken begin(std::vector<Look>) const override {
    return [states = states_] { return Activations{states, {}, {}}; };
  }

 private:
  at::Tensor states_;
};

struct Trained {
  Trained(const std::string& use, const Json& params)
      : whole(load_pretrained(bench::random_clip())),
        encoder(whole->part({.images = true, .texts = false, .classes = false})),
        method(testing_support::make<Peft>(use, params)) {
    Random random(std::uint64_t{1});
    method->attach(*encoder, parameters, random);
  }
  [[nodiscard]] at::Tensor features() const {
    const c10::AutoGradMode no_grad(false);
    const Tower& tower = *encoder->image();
    return tower.advance({pixels, {}, {}}, -1, tower.layers() + 2, {}).states;
  }

  at::Tensor pixels = at::randn({batch, 3, 224, 224});
  std::unique_ptr<AdaptableEncoder> whole, encoder;
  std::shared_ptr<Peft> method;
  Parameters parameters;
};

Json q_and_v(std::int64_t top_layers) {
  return {{"r", 8}, {"lora_alpha", 8}, {"target_modules", {"q", "v"}}, {"top_layers", top_layers}};
}

void update(benchmark::State& state, const std::string& use, const Json& params) {
  at::set_num_threads(static_cast<int>(state.range(0)));
  Trained trained(use, params);
  const Tower& tower = *trained.encoder->image();
  const std::int64_t cut = trained.encoder->cut(TowerKind::image);
  Activations entering;
  {
    const c10::AutoGradMode no_grad(false);
    entering = tower.advance({trained.pixels, {}, {}}, -1, cut, {});
  }
  Sources sources;
  sources.images =
      std::make_shared<TowerSource>(tower, cut, std::make_shared<Kept>(entering.states), batch);
  std::vector<Look> looks;
  for (std::size_t i = 0; i < batch; ++i) looks.push_back({.sample = i});
  AdamW optimizer(trained.parameters, {.weight_decay = 0.01});
  StateBank bank;
  const auto step = [&] {
    Pass pass(sources, bank, looks, {}, ReplayedRows::Compare::no);
    pass.values().images.square().sum().backward();
    pass.backward();
    optimizer.step(1e-4);
  };
  step();  // which reads weights that are mapped
  for (auto _ : state) step();
}

void inference(benchmark::State& state, bool merged) {
  at::set_num_threads(static_cast<int>(state.range(0)));
  const Trained trained("lora", q_and_v(0));
  if (merged) {
    trained.method->merge(*trained.encoder);
  } else {
    trained.encoder->reset();
  }
  (void)trained.features();
  for (auto _ : state) benchmark::DoNotOptimize(trained.features().data_ptr<float>());
}

const bool added = [] {
  using bench::on_threads;
  keep_freed_memory();  // as workers do
  const auto update_of = [](const char* use, const Json& params) {
    return [use, params](benchmark::State& state) { update(state, use, params); };
  };
  on_threads("lora_all", update_of("lora", q_and_v(0)));
  on_threads("lora_top3", update_of("lora", q_and_v(3)));
  on_threads("full", update_of("full", Json::object()));
  on_threads("plain", [](benchmark::State& state) { inference(state, false); });
  on_threads("merged", [](benchmark::State& state) { inference(state, true); });
  return true;
}();

}  // namespace
}  // namespace espalier
