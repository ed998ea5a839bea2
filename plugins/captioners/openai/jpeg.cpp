#include "jpeg.hpp"

#include <turbojpeg.h>

#include <espalier/core/error.hpp>
#include <memory>

namespace espalier::openai {
namespace {

struct DestroyCompressor {
  void operator()(void* handle) const { tjDestroy(handle); }
};

}  // namespace

std::string encode_jpeg(const Image& image, int quality) {
  const std::unique_ptr<void, DestroyCompressor> compressor(tjInitCompress());
  ESPALIER_ASSERT(compressor != nullptr, "libjpeg-turbo has no memory for a compressor");
  const auto width = static_cast<int>(image.width), height = static_cast<int>(image.height);
  constexpr std::int64_t longest_side = 65535;
  const bool fits = image.width <= longest_side && image.height <= longest_side;
  std::string bytes(fits ? tjBufSize(width, height, TJSAMP_420) : 0, '\0');
  auto* out = reinterpret_cast<unsigned char*>(bytes.data());
  unsigned long size = bytes.size();
  if (fits && tjCompress2(compressor.get(), image.rgb.data(), width, 0, height, TJPF_RGB, &out,
                          &size, TJSAMP_420, quality, TJFLAG_NOREALLOC) == 0) {
    bytes.resize(size);
    return bytes;
  }
  throw Error({.what = "a picture cannot be written as JPEG",
               .where = std::to_string(image.width) + " x " + std::to_string(image.height),
               .expected = "sides of at most 65535 pixels",
               .found = fits ? tjGetErrorStr2(compressor.get()) : "a longer side",
               .fix = {}});
}

}  // namespace espalier::openai
