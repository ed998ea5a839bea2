#include <webp/decode.h>

#include "decode_internal.hpp"

namespace espalier {

ImageHeader webp_header(std::string_view bytes, std::string_view origin) {
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(unsigned_bytes(bytes), bytes.size(), &features) != VP8_STATUS_OK ||
      features.width <= 0 || features.height <= 0) {
    throw undecodable(ImageFormat::webp, origin, "damaged data");
  }
  if (features.has_animation != 0) {
    throw undecodable(ImageFormat::webp, origin, "an animation, which is not supported");
  }
  return {.format = ImageFormat::webp,
          .width = features.width,
          .height = features.height,
          .orientation = 1};
}

Image decode_webp(std::string_view bytes, std::string_view origin, const ImageHeader& header,
                  const DecodeOptions&) {
  Image image{header.width, header.height, {}};
  image.rgb.resize(static_cast<std::size_t>(3 * header.width * header.height));
  if (WebPDecodeRGBInto(unsigned_bytes(bytes), bytes.size(), image.rgb.data(), image.rgb.size(),
                        static_cast<int>(3 * header.width)) == nullptr) {
    throw undecodable(ImageFormat::webp, origin, "damaged or missing data");
  }
  return image;
}

}  // namespace espalier
