#include <espalier/image/transform.hpp>

#include <algorithm>
#include <espalier/core/error.hpp>

namespace espalier {

ImageTransform::ImageTransform(const Preprocessing& p)
    : preprocessing_(p),
      width_(p.crop_width > 0 ? p.crop_width : p.width),
      height_(p.crop_height > 0 ? p.crop_height : p.height) {
  ESPALIER_ASSERT(width_ > 0 && height_ > 0, "the size of the result must be fixed");
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t level = 0; level < 256; ++level) {
      const auto scaled = static_cast<float>(static_cast<double>(level) * p.rescale);
      levels_[c][level] = (scaled - static_cast<float>(p.mean[c])) / static_cast<float>(p.std[c]);
    }
  }
}

Image ImageTransform::pixels(const Image& image) const {
  const Preprocessing& p = preprocessing_;
  std::int64_t width = p.width, height = p.height;
  if (p.shortest_edge > 0) {
    const bool wide = image.width > image.height;
    const std::int64_t longer =
        p.shortest_edge * std::max(image.width, image.height) / std::min(image.width, image.height);
    width = wide ? longer : p.shortest_edge;
    height = wide ? p.shortest_edge : longer;
  }
  const Region middle{(width - width_) / 2, (height - height_) / 2, width_, height_};
  return resize_part(image, width, height, middle, p.filter, p.order);
}

void ImageTransform::normalize(const Image& image, float* to) const {
  ESPALIER_ASSERT(image.width == width_ && image.height == height_, "a picture of another size");
  const std::int64_t pixels = width_ * height_;
  for (std::size_t c = 0; c < 3; ++c) {
    const std::uint8_t* from = image.rgb.data() + c;
    for (std::int64_t i = 0; i < pixels; ++i) to[i] = levels_[c][from[3 * i]];
    to += pixels;
  }
}

}  // namespace espalier
