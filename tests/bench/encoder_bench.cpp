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
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <espalier/core/file.hpp>
#include <espalier/nn/pretrained.hpp>
#include <espalier/nn/safetensors_tensor.hpp>
#include <filesystem>

namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;
using Tensors = std::vector<std::pair<std::string, at::Tensor>>;

constexpr std::int64_t layers = 12, vision_width = 768, text_width = 512, feature = 512;

class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("espalier-bench-" + std::to_string(::getpid()))) {
    fs::create_directory(path_);
    espalier::write_file(path_ / "config.json",
                         R"({"model_type": "clip", "vision_config": {"patch_size": 16}})");
    add("logit_scale", {});
    tower("vision_model", vision_width, {"pre_layrnorm", "post_layernorm"});
    tower("text_model", text_width, {"final_layer_norm"});
    add("vision_model.embeddings.class_embedding", {vision_width});
    add("vision_model.embeddings.patch_embedding.weight", {vision_width, 3, 16, 16});
    add("vision_model.embeddings.position_embedding.weight", {197, vision_width});
    add("text_model.embeddings.token_embedding.weight", {49408, text_width});
    add("text_model.embeddings.position_embedding.weight", {77, text_width});
    add("visual_projection.weight", {feature, vision_width});
    add("text_projection.weight", {feature, text_width});
    espalier::write_tensors(path_ / "model.safetensors", tensors_);
    tensors_.clear();
  }
  ~Folder() { fs::remove_all(path_); }
  [[nodiscard]] const fs::path& path() const { return path_; }

 private:
  void add(const std::string& name, const std::vector<std::int64_t>& shape) {
    tensors_.emplace_back(name, at::randn(shape) * 0.02);
  }
  void linear(const std::string& name, std::int64_t out, std::int64_t in) {
    add(name + ".weight", {out, in});
    add(name + ".bias", {out});
  }
  void norm(const std::string& name, std::int64_t width) {
    tensors_.emplace_back(name + ".weight", at::full({width}, 1.0));
    add(name + ".bias", {width});
  }
  void tower(const std::string& name, std::int64_t width, const std::vector<std::string>& norms) {
    for (const std::string& one : norms) norm(name + "." + one, width);
    for (std::int64_t i = 0; i < layers; ++i) {
      const std::string layer = name + ".encoder.layers." + std::to_string(i);
      for (const char* part : {"q_proj", "k_proj", "v_proj", "out_proj"}) {
        linear(layer + ".self_attn." + part, width, width);
      }
      linear(layer + ".mlp.fc1", 4 * width, width);
      linear(layer + ".mlp.fc2", width, 4 * width);
      norm(layer + ".layer_norm1", width);
      norm(layer + ".layer_norm2", width);
    }
  }

  fs::path path_;
  Tensors tensors_;
};

const fs::path& model() {
  static const Folder folder;
  return folder.path();
}

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
  constexpr double l = 197, w = vision_width;
  const double layer = 2 * l * (4 * w * w + 8 * w * w) + 4 * l * l * w;
  return 1e-9 * (layers * layer + 2 * 196 * w * (3 * 16 * 16) + 2 * w * feature);
}

void images(benchmark::State& state, const char* precision) {
  const c10::AutoGradMode without_gradients(false);
  at::set_num_threads(static_cast<int>(state.range(0)));
  const auto encoder =
      espalier::load_pretrained(model(), {.families = {}, .device = "cpu", .precision = precision});
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
  const auto encoder = espalier::load_pretrained(model());
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
  (void)model();
  for (auto _ : state) benchmark::DoNotOptimize(espalier::load_pretrained(model()));
}

BENCHMARK_CAPTURE(images, float32, "float32")->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(images, bfloat16, "bfloat16")->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond);
BENCHMARK(texts)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond);
BENCHMARK(load)->Unit(benchmark::kMillisecond);

}  // namespace
