// Random views of a picture for training, with torchvision's parameters and Pillow's arithmetic.
#pragma once

#include <cstdint>
#include <espalier/core/random.hpp>
#include <espalier/image/image.hpp>
#include <espalier/image/resize.hpp>
#include <string_view>

namespace espalier {

// RandomResizedCrop, RandomHorizontalFlip and ColorJitter. A jitter of 0 changes nothing.
struct ViewOptions {
  double scale_min = 0.08;  // share of the picture's area
  double scale_max = 1.0;
  double ratio_min = 3.0 / 4;  // width by height
  double ratio_max = 4.0 / 3;
  double flip = 0.5;                                    // probability
  double brightness = 0, contrast = 0, saturation = 0;  // factors in [max(0, 1 - j), 1 + j]
  double hue = 0;                                       // turns in [-j, j], at most 0.5
};

// The generator of view `number` of a sample. Views are thus a fixed set, whatever order they are
// made in and however many there are.
[[nodiscard]] Random view_random(std::int64_t seed, std::string_view sample, std::int64_t number);

// A part of the picture at a random place, of a random size and shape, scaled to width x height and
// changed in colour; the order of the colour changes is random too.
[[nodiscard]] Image draw_view(const Image& image, std::int64_t width, std::int64_t height,
                              Filter filter, const ViewOptions& options, Random& random);

// Blends with black, with the mean grey and with the picture's own grey (Pillow's ImageEnhance),
// and turns the hue in Pillow's 8-bit HSV; `turn` in [-0.5, 0.5].
void adjust_brightness(Image& image, double factor);
void adjust_contrast(Image& image, double factor);
void adjust_saturation(Image& image, double factor);
void adjust_hue(Image& image, double turn);
void flip_horizontally(Image& image);

}  // namespace espalier
