// How fast flowers are painted, and how much of flora a linear classifier understands: of pixels,
// of colours and gradients, of the attributes themselves. docs/flora.md quotes both.
#include <benchmark/benchmark.h>

#include "datasets/flora/flora.hpp"
#include "encoders/classical/colour_pyramid.hpp"
#include "encoders/classical/hog.hpp"
#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <vector>

namespace espalier {
namespace {

constexpr std::int64_t classes = 20, per_class = 40, side = 64;

using Rows = std::vector<std::vector<float>>;

struct Picture {
  Image image;
  Json facts;
  std::size_t label = 0;
  bool test = false;
};

std::vector<Picture> pictures(double difficulty) {
  std::vector<Picture> all;
  const auto species = flora::species(flora::Pool::benchmark, classes);
  for (std::size_t label = 0; label < species.size(); ++label) {
    for (std::int64_t i = 0; i < per_class; ++i) {
      Random random(i, species[label].name);
      const flora::Scene scene = flora::draw_scene(difficulty, random);
      all.push_back({flora::paint(species[label], scene, side), flora::facts(species[label]), label,
                     i >= per_class / 2});
    }
  }
  return all;
}

std::vector<float> pixels(const Picture& picture) {
  return {picture.image.rgb.begin(), picture.image.rgb.end()};
}

std::vector<float> classical(const Picture& picture) {
  std::vector<float> row = hog(picture.image, {});
  for (float& value : row) value /= 7;  // 49 blocks of length 1
  const std::vector<float> colours = colour_pyramid(picture.image, 3);
  row.insert(row.end(), colours.begin(), colours.end());
  return row;
}

// One column for each value of each attribute.
std::vector<float> attributes(const Picture& picture) {
  std::vector<float> row;
  for (const auto& [key, found] : picture.facts.items()) {
    const auto value = found.get<std::string>();
    std::vector<std::string> values = flora::alternatives(key, value);
    values.push_back(value);
    std::sort(values.begin(), values.end());
    for (const std::string& other : values) row.push_back(other == value ? 1.0f : 0.0f);
  }
  return row;
}

// Every column with mean 0 and deviation 1 over the training rows, rows divided by sqrt(columns).
void standardize(Rows& rows, const std::vector<Picture>& data) {
  const double n = static_cast<double>(
      std::count_if(data.begin(), data.end(), [](const Picture& p) { return !p.test; }));
  for (std::size_t c = 0; c < rows[0].size(); ++c) {
    double sum = 0, squares = 0;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (!data[i].test) sum += rows[i][c], squares += double(rows[i][c]) * rows[i][c];
    }
    const double mean = sum / n;
    const double scale =
        std::sqrt(std::max(squares / n - mean * mean, 1e-12) * double(rows[0].size()));
    for (auto& row : rows) row[c] = static_cast<float>((row[c] - mean) / scale);
  }
}

// Softmax regression with weight decay `l2`, in the dual: logits = K a, with the inner products K
// of all rows with the training rows. Accelerated gradient descent.
double test_accuracy(const Rows& gram, const std::vector<Picture>& data,
                     const std::vector<std::size_t>& train, double l2) {
  const std::size_t n = train.size();
  std::vector<double> a(n * classes), look(a), before(a);
  const auto logits = [&](const std::vector<float>& k, const std::vector<double>& weights) {
    std::vector<double> z(classes);
    for (std::size_t j = 0; j < n; ++j) {
      for (std::size_t c = 0; c < classes; ++c) z[c] += k[j] * weights[j * classes + c];
    }
    return z;
  };
  constexpr int steps = 400;
  for (int step = 0; step < steps; ++step) {
    before = a;
    for (std::size_t i = 0; i < n; ++i) {
      std::vector<double> p = logits(gram[train[i]], look);
      const double high = *std::max_element(p.begin(), p.end());
      for (double& value : p) value = std::exp(value - high);
      const double sum = std::accumulate(p.begin(), p.end(), 0.0);
      for (std::size_t c = 0; c < classes; ++c) {
        const double error = p[c] / sum - (data[train[i]].label == c ? 1 : 0);
        const double gradient = error / static_cast<double>(n) + 2 * l2 * look[i * classes + c];
        a[i * classes + c] = look[i * classes + c] - 2.0 * gradient;
      }
    }
    for (std::size_t i = 0; i < a.size(); ++i)
      look[i] = a[i] + step / (step + 3.0) * (a[i] - before[i]);
  }
  std::size_t right = 0;
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (!data[i].test) continue;
    const std::vector<double> z = logits(gram[i], a);
    right +=
        static_cast<std::size_t>(std::max_element(z.begin(), z.end()) - z.begin()) == data[i].label;
  }
  return static_cast<double>(right) / static_cast<double>(data.size() - n);
}

// The accuracy on unseen pictures at the weight decay that does best there, so rather too high.
void linear(benchmark::State& state,
            const std::function<std::vector<float>(const Picture&)>& view) {
  const std::vector<Picture> data = pictures(static_cast<double>(state.range(0)) / 100);
  std::vector<std::size_t> train;
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (!data[i].test) train.push_back(i);
  }
  double best = 0;
  for (auto _ : state) {
    Rows rows, gram(data.size());
    for (const Picture& picture : data) rows.push_back(view(picture));
    standardize(rows, data);
    for (std::size_t i = 0; i < data.size(); ++i) {
      for (const std::size_t j : train) {
        gram[i].push_back(
            std::inner_product(rows[i].begin(), rows[i].end(), rows[j].begin(), 0.0f));
      }
    }
    for (const double l2 : {1e-2, 1e-3, 1e-4, 1e-5}) {
      best = std::max(best, test_accuracy(gram, data, train, l2));
    }
  }
  state.counters["accuracy"] = best;
}
BENCHMARK_CAPTURE(linear, pixels, pixels)->Arg(0)->Arg(50)->Arg(100)->Iterations(1);
BENCHMARK_CAPTURE(linear, classical, classical)->Arg(0)->Arg(50)->Arg(100)->Iterations(1);
BENCHMARK_CAPTURE(linear, attributes, attributes)->Arg(0)->Arg(50)->Arg(100)->Iterations(1);

void paint(benchmark::State& state) {
  const auto species = flora::species(flora::Pool::benchmark, classes);
  std::int64_t number = 0;
  for (auto _ : state) {
    Random random(number, "bench");
    const flora::Scene scene = flora::draw_scene(0.5, random);
    benchmark::DoNotOptimize(
        flora::paint(species[static_cast<std::size_t>(number++ % classes)], scene, state.range(0)));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(paint)->Arg(64)->Arg(96)->Arg(224);

}  // namespace
}  // namespace espalier
