#include <espalier/image/resize.hpp>

#include <algorithm>
#include <cmath>
#include <espalier/core/error.hpp>

namespace espalier {
namespace {

constexpr int precision = 22;

double bilinear(double x) { return x < 1 ? 1 - x : 0; }

double bicubic(double x) {
  constexpr double a = -0.5;
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

// For each target pixel where its sources begin, and their weights.
struct Weights {
  std::int64_t taps = 0;  // room a pixel
  std::vector<std::int64_t> first, count;
  std::vector<std::int32_t> weight;  // [target, taps]
};

Weights weights_for(std::int64_t from, std::int64_t to, Filter filter) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double stretch = std::max(scale, 1.0);
  const double support = (filter == Filter::bilinear ? 1.0 : 2.0) * stretch;
  Weights w;
  w.taps = static_cast<std::int64_t>(std::ceil(support)) * 2 + 1;
  w.weight.resize(static_cast<std::size_t>(to * w.taps));
  std::vector<double> exact(static_cast<std::size_t>(w.taps));
  for (std::int64_t target = 0; target < to; ++target) {
    const double centre = (static_cast<double>(target) + 0.5) * scale;
    const auto first = std::max<std::int64_t>(static_cast<std::int64_t>(centre - support + 0.5), 0);
    const auto end = std::min(static_cast<std::int64_t>(centre + support + 0.5), from);
    double sum = 0;
    for (std::int64_t i = first; i < end; ++i) {
      const double x = std::abs((static_cast<double>(i) - centre + 0.5) / stretch);
      const double value = filter == Filter::bilinear ? bilinear(x) : bicubic(x);
      exact[static_cast<std::size_t>(i - first)] = value;
      sum += value;
    }
    for (std::int64_t i = 0; i < end - first; ++i) {
      const double share = exact[static_cast<std::size_t>(i)] / sum * (1 << precision);
      w.weight[static_cast<std::size_t>(target * w.taps + i)] =
          static_cast<std::int32_t>(share < 0 ? share - 0.5 : share + 0.5);
    }
    w.first.push_back(first);
    w.count.push_back(end - first);
  }
  return w;
}

std::uint8_t level(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> precision, 0, 255));
}

Image pass_horizontal(const Image& image, std::int64_t width, Filter filter) {
  const Weights w = weights_for(image.width, width, filter);
  Image result{width, image.height, {}};
  result.rgb.resize(static_cast<std::size_t>(3 * width * image.height));
  std::uint8_t* out = result.rgb.data();
  for (std::int64_t y = 0; y < image.height; ++y) {
    const std::uint8_t* row = image.rgb.data() + 3 * y * image.width;
    for (std::int64_t x = 0; x < width; ++x, out += 3) {
      const std::uint8_t* in = row + 3 * w.first[static_cast<std::size_t>(x)];
      const std::int32_t* weight = w.weight.data() + x * w.taps;
      std::int32_t r = 1 << (precision - 1), g = r, b = r;
      for (std::int64_t i = 0; i < w.count[static_cast<std::size_t>(x)]; ++i, in += 3) {
        r += in[0] * weight[i];
        g += in[1] * weight[i];
        b += in[2] * weight[i];
      }
      out[0] = level(r), out[1] = level(g), out[2] = level(b);
    }
  }
  return result;
}

Image pass_vertical(const Image& image, std::int64_t height, Filter filter) {
  const Weights w = weights_for(image.height, height, filter);
  Image result{image.width, height, {}};
  result.rgb.resize(static_cast<std::size_t>(3 * image.width * height));
  const std::int64_t stride = 3 * image.width;
  std::vector<std::int32_t> sum(static_cast<std::size_t>(stride));
  for (std::int64_t y = 0; y < height; ++y) {
    std::fill(sum.begin(), sum.end(), 1 << (precision - 1));
    for (std::int64_t i = 0; i < w.count[static_cast<std::size_t>(y)]; ++i) {
      const std::int32_t weight = w.weight[static_cast<std::size_t>(y * w.taps + i)];
      const std::uint8_t* in =
          image.rgb.data() + (w.first[static_cast<std::size_t>(y)] + i) * stride;
      for (std::int64_t x = 0; x < stride; ++x) sum[static_cast<std::size_t>(x)] += in[x] * weight;
    }
    std::transform(sum.begin(), sum.end(), result.rgb.begin() + y * stride, level);
  }
  return result;
}

}  // namespace

Image resize(const Image& image, std::int64_t width, std::int64_t height, Filter filter,
             PassOrder order) {
  ESPALIER_ASSERT(width > 0 && height > 0, "a picture needs pixels");
  const bool columns_first = order == PassOrder::pillow_13 && height < image.height &&
                             image.height - height > 2 * (image.width - width);
  const auto across = [&](const Image& from) {
    return from.width == width ? from : pass_horizontal(from, width, filter);
  };
  const auto down = [&](const Image& from) {
    return from.height == height ? from : pass_vertical(from, height, filter);
  };
  return columns_first ? across(down(image)) : down(across(image));
}

Image crop(const Image& image, std::int64_t left, std::int64_t top, std::int64_t width,
           std::int64_t height) {
  ESPALIER_ASSERT(left >= 0 && top >= 0 && width > 0 && height > 0 && left + width <= image.width &&
                      top + height <= image.height,
                  "a crop must lie inside the picture");
  Image result{width, height, {}};
  result.rgb.resize(static_cast<std::size_t>(3 * width * height));
  for (std::int64_t y = 0; y < height; ++y) {
    std::copy_n(image.rgb.begin() + 3 * ((top + y) * image.width + left), 3 * width,
                result.rgb.begin() + 3 * y * width);
  }
  return result;
}

}  // namespace espalier
