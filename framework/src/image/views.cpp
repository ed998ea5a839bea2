#include <espalier/image/views.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <string>

namespace espalier {
namespace {

struct Box {
  std::int64_t left, top, width, height;
};

std::int64_t rounded(double value) { return static_cast<std::int64_t>(std::nearbyint(value)); }

// The largest part in the middle with an allowed shape.
Box middle(const Image& image, const ViewOptions& o) {
  const auto width = static_cast<double>(image.width), height = static_cast<double>(image.height);
  const double ratio = width / height;
  std::int64_t w = image.width, h = image.height;
  if (ratio < o.ratio_min) h = rounded(width / o.ratio_min);
  if (ratio > o.ratio_max) w = rounded(height * o.ratio_max);
  return {(image.width - w) / 2, (image.height - h) / 2, w, h};
}

Box random_box(const Image& image, const ViewOptions& o, Random& random) {
  const double area = static_cast<double>(image.width) * static_cast<double>(image.height);
  for (int attempt = 0; attempt < 10; ++attempt) {
    const double target = area * random.uniform(o.scale_min, o.scale_max);
    const double ratio = std::exp(random.uniform(std::log(o.ratio_min), std::log(o.ratio_max)));
    const std::int64_t w = rounded(std::sqrt(target * ratio));
    const std::int64_t h = rounded(std::sqrt(target / ratio));
    if (w < 1 || h < 1 || w > image.width || h > image.height) continue;
    const auto top =
        static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(image.height - h + 1)));
    const auto left =
        static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(image.width - w + 1)));
    return {left, top, w, h};
  }
  return middle(image, o);
}

void jitter(Image& image, const ViewOptions& o, Random& random) {
  const auto factor = [&](double j) { return random.uniform(std::max(0.0, 1 - j), 1 + j); };
  const std::array<std::function<void()>, 4> changes = {
      [&, f = factor(o.brightness)] {
        if (o.brightness > 0) adjust_brightness(image, f);
      },
      [&, f = factor(o.contrast)] {
        if (o.contrast > 0) adjust_contrast(image, f);
      },
      [&, f = factor(o.saturation)] {
        if (o.saturation > 0) adjust_saturation(image, f);
      },
      [&, f = random.uniform(-o.hue, o.hue)] {
        if (o.hue > 0) adjust_hue(image, f);
      },
  };
  std::array<std::size_t, 4> order{0, 1, 2, 3};
  random.shuffle(std::span<std::size_t>(order));
  for (const std::size_t i : order) changes[i]();
}

int grey(const std::uint8_t* rgb) {
  return (rgb[0] * 19595 + rgb[1] * 38470 + rgb[2] * 7471 + 0x8000) >> 16;
}

// Away from `base` by `factor`: 0 gives the base, 1 the level itself.
std::uint8_t blended(int base, int level, float factor) {
  const float value = static_cast<float>(base) + factor * static_cast<float>(level - base);
  return static_cast<std::uint8_t>(std::clamp(value, 0.0f, 255.0f));
}

template <class Base>
void blend(Image& image, double factor, Base&& base) {
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
    std::uint8_t* pixel = &image.rgb[i];
    const int from = base(pixel);
    for (std::size_t c = 0; c < 3; ++c)
      pixel[c] = blended(from, pixel[c], static_cast<float>(factor));
  }
}

struct Hsv {
  std::uint8_t hue, saturation, value;
};

std::uint8_t byte(double value) { return static_cast<std::uint8_t>(std::clamp(value, 0.0, 255.0)); }

Hsv to_hsv(const std::uint8_t* rgb) {
  const int high = std::max({rgb[0], rgb[1], rgb[2]});
  const int low = std::min({rgb[0], rgb[1], rgb[2]});
  if (high == low) return {0, 0, static_cast<std::uint8_t>(high)};
  const auto span = static_cast<float>(high - low);
  const float r = static_cast<float>(high - rgb[0]) / span;
  const float g = static_cast<float>(high - rgb[1]) / span;
  const float b = static_cast<float>(high - rgb[2]) / span;
  const float sixths = rgb[0] == high   ? b - g
                       : rgb[1] == high ? static_cast<float>(2.0 + r - b)
                                        : static_cast<float>(4.0 + g - r);
  const auto turn = static_cast<float>(std::fmod(sixths / 6.0 + 1.0, 1.0));
  const float saturation = span / static_cast<float>(high);
  return {byte(turn * 255.0), byte(saturation * 255.0), static_cast<std::uint8_t>(high)};
}

void from_hsv(const Hsv& hsv, std::uint8_t* rgb) {
  const double s = static_cast<float>(hsv.saturation / 255.0);
  const double sixths = static_cast<float>(hsv.hue * 6.0 / 255.0);
  const int sector = static_cast<int>(sixths);
  const double rest = static_cast<float>(sixths - sector);
  const double v = hsv.value;
  const std::uint8_t p = byte(std::round(v * (1 - s)));
  const std::uint8_t q = byte(std::round(v * (1 - s * rest)));
  const std::uint8_t t = byte(std::round(v * (1 - s * (1 - rest))));
  const std::uint8_t sectors[6][3] = {{hsv.value, t, p}, {q, hsv.value, p}, {p, hsv.value, t},
                                      {p, q, hsv.value}, {t, p, hsv.value}, {hsv.value, p, q}};
  std::copy_n(sectors[sector % 6], 3, rgb);
}

}  // namespace

Random view_random(std::int64_t seed, std::string_view sample, std::int64_t number) {
  return Random(seed, "views/" + std::to_string(number) + "/" + std::string(sample));
}

Image draw_view(const Image& image, std::int64_t width, std::int64_t height, Filter filter,
                const ViewOptions& options, Random& random) {
  const Box box = random_box(image, options, random);
  Image view = resize(crop(image, box.left, box.top, box.width, box.height), width, height, filter);
  if (random.uniform() < options.flip) flip_horizontally(view);
  jitter(view, options, random);
  return view;
}

void adjust_brightness(Image& image, double factor) {
  blend(image, factor, [](const std::uint8_t*) { return 0; });
}

void adjust_contrast(Image& image, double factor) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) sum += grey(&image.rgb[i]);
  const auto pixels = static_cast<double>(image.width * image.height);
  const int mean = static_cast<int>(static_cast<double>(sum) / pixels + 0.5);
  blend(image, factor, [mean](const std::uint8_t*) { return mean; });
}

void adjust_saturation(Image& image, double factor) { blend(image, factor, grey); }

void adjust_hue(Image& image, double turn) {
  const auto shift = static_cast<std::uint8_t>(static_cast<int>(turn * 255));
  for (std::size_t i = 0; i < image.rgb.size(); i += 3) {
    Hsv hsv = to_hsv(&image.rgb[i]);
    hsv.hue = static_cast<std::uint8_t>(hsv.hue + shift);
    from_hsv(hsv, &image.rgb[i]);
  }
}

void flip_horizontally(Image& image) {
  for (std::int64_t y = 0; y < image.height; ++y) {
    std::uint8_t* row = image.rgb.data() + 3 * y * image.width;
    for (std::int64_t x = 0; x < image.width / 2; ++x) {
      std::swap_ranges(row + 3 * x, row + 3 * x + 3, row + 3 * (image.width - 1 - x));
    }
  }
}

}  // namespace espalier
