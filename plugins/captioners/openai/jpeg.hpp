// Pictures as servers take them.
#pragma once

#include <espalier/image/image.hpp>
#include <string>

namespace espalier::openai {

// The bytes of a baseline JPEG with colours at half the resolution, by libjpeg-turbo. `quality` is
// 1 to 100. The picture must have pixels. Throws Error where a side is over 65535.
[[nodiscard]] std::string encode_jpeg(const Image& image, int quality = 90);

}  // namespace espalier::openai
