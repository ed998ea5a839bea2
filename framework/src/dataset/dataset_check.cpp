#include <algorithm>
#include <atomic>
#include <bit>
#include <chrono>
#include <cmath>
#include <espalier/core/error.hpp>
#include <espalier/core/hash.hpp>
#include <espalier/dataset/dataset_check.hpp>
#include <espalier/image/resize.hpp>
#include <map>
#include <numeric>
#include <thread>

namespace espalier {
namespace {

constexpr int most_bits_apart = 2;
constexpr float least_cosine = 0.99F;

struct Look {
  bool readable = false;
  std::string error;
  std::int64_t width = 0;
  std::int64_t height = 0;
  Digest pixels{};
  std::uint64_t difference_hash = 0;
};

Digest pixel_digest(const Image& image) {
  Sha256 hash;
  hash.update(std::to_string(image.width) + "x" + std::to_string(image.height) + ":");
  hash.update({reinterpret_cast<const char*>(image.rgb.data()), image.rgb.size()});
  return hash.finish();
}

// Bit y * 8 + x: whether pixel x of row y is brighter than its right neighbour, at 9 x 8 pixels.
std::uint64_t difference_hash(const Image& image) {
  const Image small = resize(image, 9, 8, Filter::bilinear);
  const auto brightness = [&](std::size_t x, std::size_t y) {
    const std::uint8_t* pixel = &small.rgb[3 * (y * 9 + x)];
    return 299 * pixel[0] + 587 * pixel[1] + 114 * pixel[2];
  };
  std::uint64_t hash = 0;
  for (std::size_t y = 0; y < 8; ++y) {
    for (std::size_t x = 0; x < 8; ++x) {
      const bool brighter = brightness(x, y) > brightness(x + 1, y);
      hash |= static_cast<std::uint64_t>(brighter) << (y * 8 + x);
    }
  }
  return hash;
}

// Of images where there are any.
const FeatureRows& rows_of(const GivenFeatures& features) {
  return features.images.width > 0 ? features.images : features.texts;
}

Digest row_digest(std::span<const float> row) {
  Sha256 hash;
  hash.update({reinterpret_cast<const char*>(row.data()), row.size_bytes()});
  return hash.finish();
}

Look look_at(const Dataset& dataset, std::size_t index, bool near) try {
  if (const GivenFeatures* const features = dataset.features()) {
    Look look;
    look.readable = true;
    look.pixels = row_digest(rows_of(*features).row(index));
    return look;
  }
  const Image image = dataset.image(index);
  return {.readable = true,
          .error = {},
          .width = image.width,
          .height = image.height,
          .pixels = pixel_digest(image),
          .difference_hash = near ? difference_hash(image) : 0};
} catch (const std::exception& error) {
  Look look;
  look.error = error.what();
  return look;
}

std::vector<Look> look_at_all(const Dataset& dataset, const DatasetCheckOptions& options) {
  std::vector<Look> looks(dataset.samples().size());
  std::atomic<std::size_t> next{0};
  std::atomic<std::size_t> done{0};
  const auto work = [&] {
    for (std::size_t i = next++; i < looks.size(); i = next++) {
      looks[i] = look_at(dataset, i, options.near_duplicates);
      ++done;
    }
  };
  std::vector<std::jthread> threads;
  for (int i = 0; i < std::max(options.threads, 1); ++i) threads.emplace_back(work);
  while (options.progress && done < looks.size()) {
    options.progress(done, looks.size());
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  threads.clear();
  if (options.progress) options.progress(looks.size(), looks.size());
  return looks;
}

std::array<std::int64_t, 3> range_of(std::vector<std::int64_t> values) {
  if (values.empty()) return {};
  std::sort(values.begin(), values.end());
  return {values.front(), values[values.size() / 2], values.back()};
}

std::vector<std::vector<std::size_t>> same_pixels(const std::vector<Look>& looks) {
  std::map<Digest, std::vector<std::size_t>> by_digest;
  for (std::size_t i = 0; i < looks.size(); ++i) {
    if (looks[i].readable) by_digest[looks[i].pixels].push_back(i);
  }
  std::vector<std::vector<std::size_t>> groups;
  for (auto& [digest, group] : by_digest) {
    if (group.size() > 1) groups.push_back(std::move(group));
  }
  std::sort(groups.begin(), groups.end());
  return groups;
}

// Rows scaled to length 1; one of zeros stays as it is.
std::vector<float> unit_rows(const FeatureRows& rows) {
  std::vector<float> unit(rows.values.begin(), rows.values.end());
  const auto width = static_cast<std::size_t>(rows.width);
  for (std::size_t from = 0; from < unit.size(); from += width) {
    const auto row = std::span(unit).subspan(from, width);
    const double square = std::inner_product(row.begin(), row.end(), row.begin(), 0.0);
    const auto scale = static_cast<float>(square > 0 ? 1 / std::sqrt(square) : 0);
    for (float& value : row) value *= scale;
  }
  return unit;
}

// Whether two samples look alike.
std::function<bool(std::size_t, std::size_t)> likeness(const Dataset& dataset,
                                                       const std::vector<Look>& looks) {
  if (const GivenFeatures* const features = dataset.features()) {
    const auto width = static_cast<std::size_t>(rows_of(*features).width);
    return [unit = unit_rows(rows_of(*features)), width](std::size_t i, std::size_t j) {
      const float* const a = unit.data() + i * width;
      return std::inner_product(a, a + width, unit.data() + j * width, 0.0F) > least_cosine;
    };
  }
  return [&looks](std::size_t i, std::size_t j) {
    return std::popcount(looks[i].difference_hash ^ looks[j].difference_hash) <= most_bits_apart;
  };
}

std::vector<DatasetCheck::Pair> alike(const Dataset& dataset, const std::vector<Look>& looks) {
  const std::vector<Sample>& samples = dataset.samples();
  const auto are_alike = likeness(dataset, looks);
  std::vector<DatasetCheck::Pair> pairs;
  for (std::size_t i = 0; i < looks.size(); ++i) {
    for (std::size_t j = i + 1; looks[i].readable && j < looks.size(); ++j) {
      if (samples[i].split == samples[j].split || !are_alike(i, j)) continue;
      if (looks[j].readable && looks[i].pixels != looks[j].pixels) pairs.emplace_back(i, j);
    }
  }
  return pairs;
}

template <class Property>
std::vector<std::size_t> mixed_groups(const std::vector<std::vector<std::size_t>>& groups,
                                      Property property) {
  std::vector<std::size_t> mixed;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const auto differs = [&](std::size_t i) { return property(i) != property(groups[g][0]); };
    if (std::any_of(groups[g].begin(), groups[g].end(), differs)) mixed.push_back(g);
  }
  return mixed;
}

}  // namespace

std::vector<std::size_t> DatasetCheck::leaks(const Dataset& dataset) const {
  return mixed_groups(duplicates, [&](std::size_t i) { return dataset.samples()[i].split; });
}

std::vector<std::size_t> DatasetCheck::conflicts(const Dataset& dataset) const {
  return mixed_groups(duplicates, [&](std::size_t i) { return dataset.samples()[i].label; });
}

DatasetCheck check_dataset(const Dataset& dataset, const DatasetCheckOptions& options) {
  const std::vector<Look> looks = look_at_all(dataset, options);
  DatasetCheck check;
  check.counts.resize(dataset.class_names().size());
  std::vector<std::int64_t> widths;
  std::vector<std::int64_t> heights;
  for (std::size_t i = 0; i < looks.size(); ++i) {
    const Sample& sample = dataset.samples()[i];
    ++check.counts.at(
        static_cast<std::size_t>(sample.label))[static_cast<std::size_t>(sample.split)];
    if (!looks[i].readable) {
      check.unreadable.emplace_back(i, looks[i].error);
      continue;
    }
    widths.push_back(looks[i].width);
    heights.push_back(looks[i].height);
  }
  check.widths = range_of(std::move(widths));
  check.heights = range_of(std::move(heights));
  check.duplicates = same_pixels(looks);
  if (options.near_duplicates) check.near_duplicates = alike(dataset, looks);
  return check;
}

}  // namespace espalier
