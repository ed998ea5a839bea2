// Methods on frozen features at ImageNet's size: 1000 classes of 16 samples with 512 columns,
// batches of 1024. An update is the method's scores, cross-entropy, penalty and backward.
//
// `scores` and `update` are least times over the least time of the matrix products in the scores
// alone; an update of what is trained has as many again, one of cross_modal twice that.
#include <benchmark/benchmark.h>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/matmul.h>
#include <ATen/ops/randint.h>
#include <ATen/ops/randn.h>
#include <c10/core/GradMode.h>

#include <spdlog/spdlog.h>

#include <algorithm>
#include <chrono>
#include <espalier/nn/pretrained.hpp>
#include <espalier/nn/unit_rows.hpp>
#include <espalier/plugin/loader.hpp>
#include <espalier/plugin/loader_context.hpp>
#include <espalier/plugin/peft.hpp>
#include <functional>

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t classes = 1000, shots = 16, width = 512, batch = 1024;
constexpr std::int64_t samples = classes * shots;

espalier::JudgedFeatures judged(const at::Tensor& vectors, const at::Tensor& labels) {
  const at::Tensor noise = at::randn({labels.size(0), width});
  const at::Tensor x = espalier::unit_rows(vectors.index_select(0, labels) + noise * 2.0);
  return {.features = x, .logits = at::matmul(x, vectors.t()) * 100.0, .labels = labels};
}

const espalier::MethodInput& input() {
  static const espalier::MethodInput made = [] {
    const at::Tensor shared = at::randn({width});
    const at::Tensor vectors = espalier::unit_rows(shared + at::randn({classes, width}));
    return espalier::MethodInput{
        .train = judged(vectors, at::randint(classes, {samples}, at::kLong)),
        .val = judged(vectors, at::randint(classes, {batch}, at::kLong)),
        .classes = vectors,
        .logit_scale = 100,
        .class_tokens = {},
        .tokens = {}};
  }();
  return made;
}

struct Attached {
  explicit Attached(const espalier::Json& section)
      : catalog(espalier::Catalog::scan({{ESPALIER_BINARY_DIR "/plugins"}, {}})),
        loader(catalog),
        context(loader, log),
        method(loader.make<espalier::Peft>(section, context)) {
    const auto start = Clock::now();
    method->prepare(input());
    prepared = std::chrono::duration<double>(Clock::now() - start).count();
    espalier::Random random(std::uint64_t{1});
    method->attach(*encoder, parameters, random);
  }
  void score() const {
    const c10::NoGradGuard no_grad;
    (void)encoder->score(input().val.features, input().val.logits, {});
  }
  void update() const {
    const espalier::JudgedFeatures& x = input().val;
    at::Tensor loss = at::cross_entropy_loss(encoder->score(x.features, x.logits, {}), x.labels);
    const at::Tensor penalty = method->penalty();
    if (penalty.defined()) loss = loss + penalty;
    if (loss.requires_grad()) loss.backward();
    for (const at::Tensor& tensor : parameters.tensors()) tensor.mutable_grad().reset();
  }

  // Nothing of it is looked at but where its scores pass.
  std::unique_ptr<espalier::AdaptableEncoder> encoder =
      espalier::load_pretrained(ESPALIER_SOURCE_DIR "/tests/data/encoders/clip-tiny-gelu");
  spdlog::logger log{"bench"};
  espalier::Catalog catalog;
  espalier::Loader loader;
  espalier::LoaderContext context;
  std::shared_ptr<espalier::Peft> method;
  espalier::Parameters parameters;
  double prepared = 0;
};

double seconds_of(const std::function<void()>& call) {
  const auto start = Clock::now();
  call();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Products [batch, rows] x [rows, columns].
double seconds_of_product(std::int64_t rows, std::int64_t columns) {
  const at::Tensor a = at::randn({batch, rows}), b = at::randn({rows, columns});
  return seconds_of([&] { (void)at::matmul(a, b); });
}

// The products in the scores of a batch.
double bare_seconds(const espalier::Json& section) {
  if (section.at("use") != "tip_adapter") return seconds_of_product(width, classes);
  return seconds_of_product(width, samples) + seconds_of_product(samples, classes);
}

// The least of each: other programs take their share of the rest.
void update(benchmark::State& state, const espalier::Json& section) {
  at::set_num_threads(static_cast<int>(state.range(0)));
  const Attached attached(section);
  double updated = 1e9, scored = 1e9, bare = 1e9;
  for (auto _ : state) {
    const double spent = seconds_of([&] { attached.update(); });
    state.SetIterationTime(spent);
    updated = std::min(updated, spent);
    scored = std::min(scored, seconds_of([&] { attached.score(); }));
    bare = std::min(bare, bare_seconds(section));
  }
  state.counters["scores"] = scored / bare;
  state.counters["update"] = updated / bare;
  state.counters["prepare_s"] = attached.prepared;
}

void on_one_and_two_threads(benchmark::internal::Benchmark* made) {
  made->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseManualTime();
}

BENCHMARK_CAPTURE(update, gda, {{"use", "gda"}, {"alpha", 1}})->Apply(on_one_and_two_threads);
BENCHMARK_CAPTURE(update, tip, {{"use", "tip_adapter"}})->Apply(on_one_and_two_threads);
BENCHMARK_CAPTURE(update, tip_f, {{"use", "tip_adapter"}, {"train_keys", true}})
    ->Apply(on_one_and_two_threads);
BENCHMARK_CAPTURE(update, clap, {{"use", "clap"}})->Apply(on_one_and_two_threads);
BENCHMARK_CAPTURE(update, cross_modal, {{"use", "cross_modal"}})->Apply(on_one_and_two_threads);
BENCHMARK_CAPTURE(update, lp_plus_plus, {{"use", "lp_plus_plus"}})->Apply(on_one_and_two_threads);
BENCHMARK_CAPTURE(update, probe, {{"use", "linear_probe"}, {"solver", "loop"}})
    ->Apply(on_one_and_two_threads);

}  // namespace
