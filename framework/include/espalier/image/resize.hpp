// Resizing, bit for bit as Pillow does it.
//
// Two passes with 8 bits between them. A pass weighs the pixels around the target's middle by the
// filter, widened where the picture shrinks; weights are normalised in double precision and rounded
// to 22 bits, and a sum has half a unit added before it is shifted and clipped.
#pragma once

#include <cstdint>
#include <espalier/image/image.hpp>

namespace espalier {

enum class Filter { bilinear, bicubic };  // bicubic with a = -0.5

// Pillow up to version 12, and so all published features, go through the rows first. Pillow 13 goes
// through the columns first where the height loses pixels, and more than twice as many as the
// width. Results differ by at most one level.
enum class PassOrder { horizontal_first, pillow_13 };

// `width` and `height` are positive.
[[nodiscard]] Image resize(const Image& image, std::int64_t width, std::int64_t height,
                           Filter filter, PassOrder order = PassOrder::horizontal_first);

struct Region {
  std::int64_t left = 0, top = 0, width = 0, height = 0;
};

// A part of what resize() gives, in the same bits; takes no more memory than the part and what it
// is made of, however large the whole would be.
[[nodiscard]] Image resize_part(const Image& image, std::int64_t width, std::int64_t height,
                                const Region& part, Filter filter,
                                PassOrder order = PassOrder::horizontal_first);

// The part that starts at (left, top); it lies inside the picture.
[[nodiscard]] Image crop(const Image& image, std::int64_t left, std::int64_t top,
                         std::int64_t width, std::int64_t height);

}  // namespace espalier
