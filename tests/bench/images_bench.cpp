// Photos a second on one core: decoded, and made ready for CLIP; and pictures a second of the
// encoder without weights. Peer: Pillow's open, convert, resize, crop and torchvision's
// normalisation.
#include <benchmark/benchmark.h>

#include "datasets/flora/flora.hpp"
#include "encoders/classical/colour_pyramid.hpp"
#include "encoders/classical/hog.hpp"
#include <algorithm>
#include <espalier/core/file.hpp>
#include <espalier/image/decode.hpp>
#include <espalier/image/transform.hpp>
#include <filesystem>
#include <vector>

#include "image/golden_images.hpp"

namespace espalier {
namespace {

// Photos of Flowers102 whose shorter side is 224, the bytes in memory.
std::vector<std::string> photos() {
  std::vector<std::filesystem::path> files;
  const auto folder = testing_support::data_dir() / "flowers-102" / "jpg";
  if (std::filesystem::exists(folder)) {
    for (const auto& entry : std::filesystem::directory_iterator(folder))
      files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  files.resize(std::min<std::size_t>(files.size(), 500));
  std::vector<std::string> bytes;
  for (const auto& file : files) bytes.push_back(read_file(file));
  return bytes;
}

void decode(benchmark::State& state) {
  const std::vector<std::string> all = photos();
  if (all.empty()) return state.SkipWithError("no photos of Flowers102");
  std::size_t next = 0;
  for (auto _ : state) benchmark::DoNotOptimize(decode_image(all[next++ % all.size()], "photo"));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(decode);

void prepare_for_clip(benchmark::State& state) {
  const std::vector<std::string> all = photos();
  if (all.empty()) return state.SkipWithError("no photos of Flowers102");
  Preprocessing p;
  p.shortest_edge = p.crop_width = p.crop_height = state.range(0);
  p.mean = p.std = {0.5, 0.5, 0.5};
  const ImageTransform transform(p);
  std::vector<float> row(static_cast<std::size_t>(transform.floats()));
  std::size_t next = 0;
  for (auto _ : state) {
    transform.apply(decode_image(all[next++ % all.size()], "photo"), row.data());
    benchmark::DoNotOptimize(row.data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(prepare_for_clip)->Arg(224)->Arg(128);

void classical_features(benchmark::State& state) {
  Random random(1, "bench");
  const Image image = flora::paint(flora::species(flora::Pool::benchmark, 1)[0],
                                   flora::draw_scene(0.5, random), 64);
  for (auto _ : state) {
    benchmark::DoNotOptimize(hog(image, {}));
    benchmark::DoNotOptimize(colour_pyramid(image, 3));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(classical_features);

}  // namespace
}  // namespace espalier
