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

// Of one axis: what it is scaled from and to, and the part of the result that is asked for.
struct Axis {
  std::int64_t from = 0, to = 0;
  std::int64_t begin = 0, end = 0;

  [[nodiscard]] std::int64_t size() const { return end - begin; }
};

// For each target pixel of the part where its sources begin, and their weights.
struct Weights {
  std::int64_t taps = 0;  // room a pixel
  std::vector<std::int64_t> first, count;
  std::vector<std::int32_t> weight;  // [target, taps]
};

Weights weights_for(const Axis& axis, Filter filter) {
  const double scale = static_cast<double>(axis.from) / static_cast<double>(axis.to);
  const double stretch = std::max(scale, 1.0);
  const double support = (filter == Filter::bilinear ? 1.0 : 2.0) * stretch;
  Weights w;
  w.taps = static_cast<std::int64_t>(std::ceil(support)) * 2 + 1;
  w.weight.resize(static_cast<std::size_t>(axis.size() * w.taps));
  std::vector<double> exact(static_cast<std::size_t>(w.taps));
  for (std::int64_t target = axis.begin; target < axis.end; ++target) {
    const double centre = (static_cast<double>(target) + 0.5) * scale;
    const auto first = std::max<std::int64_t>(static_cast<std::int64_t>(centre - support + 0.5), 0);
    const auto end = std::min(static_cast<std::int64_t>(centre + support + 0.5), axis.from);
    double sum = 0;
    for (std::int64_t i = first; i < end; ++i) {
      const double x = std::abs((static_cast<double>(i) - centre + 0.5) / stretch);
      const double value = filter == Filter::bilinear ? bilinear(x) : bicubic(x);
      exact[static_cast<std::size_t>(i - first)] = value;
      sum += value;
    }
    for (std::int64_t i = 0; i < end - first; ++i) {
      const double share = exact[static_cast<std::size_t>(i)] / sum * (1 << precision);
      w.weight[static_cast<std::size_t>((target - axis.begin) * w.taps + i)] =
          static_cast<std::int32_t>(share < 0 ? share - 0.5 : share + 0.5);
    }
    w.first.push_back(first);
    w.count.push_back(end - first);
  }
  return w;
}

// What the part of the result is made of: all of a result that keeps its size is that itself.
Axis source_of(const Axis& axis, Filter filter) {
  if (axis.from == axis.to) return axis;
  Axis first = axis, last = axis;
  first.end = first.begin + 1;
  last.begin = last.end - 1;
  const Weights low = weights_for(first, filter), high = weights_for(last, filter);
  return {axis.from, axis.from, low.first[0], high.first[0] + high.count[0]};
}

bool is_inside(const Region& part, std::int64_t width, std::int64_t height) {
  return part.left >= 0 && part.top >= 0 && part.width > 0 && part.height > 0 &&
         part.left + part.width <= width && part.top + part.height <= height;
}

std::uint8_t level(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp(sum >> precision, 0, 255));
}

// A part of a picture, where it lies.
struct View {
  const Image* image = nullptr;
  Region part;

  [[nodiscard]] const std::uint8_t* row(std::int64_t y) const {
    return image->rgb.data() + 3 * ((part.top + y) * image->width + part.left);
  }
};

// The view holds what source_of() names of the columns.
Image pass_horizontal(const View& view, const Axis& columns, Filter filter) {
  const std::int64_t offset = source_of(columns, filter).begin;
  const Weights w = weights_for(columns, filter);
  Image result{columns.size(), view.part.height, {}};
  result.rgb.resize(static_cast<std::size_t>(3 * result.width * result.height));
  std::uint8_t* out = result.rgb.data();
  for (std::int64_t y = 0; y < result.height; ++y) {
    const std::uint8_t* row = view.row(y);
    for (std::int64_t x = 0; x < result.width; ++x, out += 3) {
      const std::uint8_t* in = row + 3 * (w.first[static_cast<std::size_t>(x)] - offset);
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

// The same of the rows.
Image pass_vertical(const View& view, const Axis& rows, Filter filter) {
  const std::int64_t offset = source_of(rows, filter).begin;
  const Weights w = weights_for(rows, filter);
  Image result{view.part.width, rows.size(), {}};
  const std::int64_t width = 3 * result.width;
  result.rgb.resize(static_cast<std::size_t>(width * result.height));
  std::vector<std::int32_t> sum(static_cast<std::size_t>(width));
  for (std::int64_t y = 0; y < result.height; ++y) {
    std::fill(sum.begin(), sum.end(), 1 << (precision - 1));
    for (std::int64_t i = 0; i < w.count[static_cast<std::size_t>(y)]; ++i) {
      const std::int32_t weight = w.weight[static_cast<std::size_t>(y * w.taps + i)];
      const std::uint8_t* in = view.row(w.first[static_cast<std::size_t>(y)] - offset + i);
      for (std::int64_t x = 0; x < width; ++x) sum[static_cast<std::size_t>(x)] += in[x] * weight;
    }
    std::transform(sum.begin(), sum.end(), result.rgb.begin() + y * width, level);
  }
  return result;
}

}  // namespace

Image resize(const Image& image, std::int64_t width, std::int64_t height, Filter filter,
             PassOrder order) {
  return resize_part(image, width, height, {0, 0, width, height}, filter, order);
}

Image resize_part(const Image& image, std::int64_t width, std::int64_t height, const Region& part,
                  Filter filter, PassOrder order) {
  ESPALIER_ASSERT(width > 0 && height > 0, "a picture needs pixels");
  ESPALIER_ASSERT(is_inside(part, width, height), "a part must lie inside the picture");
  const bool columns_first = order == PassOrder::pillow_13 && height < image.height &&
                             image.height - height > 2 * (image.width - width);
  const Axis columns{image.width, width, part.left, part.left + part.width};
  const Axis rows{image.height, height, part.top, part.top + part.height};
  const Axis across = source_of(columns, filter), down = source_of(rows, filter);
  const View source{&image, {across.begin, down.begin, across.size(), down.size()}};
  const bool same_width = image.width == width, same_height = image.height == height;
  if (same_width && same_height) return crop(image, part.left, part.top, part.width, part.height);
  if (same_width) return pass_vertical(source, rows, filter);
  if (same_height) return pass_horizontal(source, columns, filter);
  const auto whole = [](const Image& of) { return View{&of, {0, 0, of.width, of.height}}; };
  return columns_first
             ? pass_horizontal(whole(pass_vertical(source, rows, filter)), columns, filter)
             : pass_vertical(whole(pass_horizontal(source, columns, filter)), rows, filter);
}

Image crop(const Image& image, std::int64_t left, std::int64_t top, std::int64_t width,
           std::int64_t height) {
  ESPALIER_ASSERT(is_inside({left, top, width, height}, image.width, image.height),
                  "a crop must lie inside the picture");
  if (width == image.width && height == image.height) return image;
  Image result{width, height, {}};
  result.rgb.resize(static_cast<std::size_t>(3 * width * height));
  for (std::int64_t y = 0; y < height; ++y) {
    std::copy_n(image.rgb.begin() + 3 * ((top + y) * image.width + left), 3 * width,
                result.rgb.begin() + 3 * y * width);
  }
  return result;
}

}  // namespace espalier
