#include <turbojpeg.h>

#include <algorithm>
#include <memory>

#include "decode_internal.hpp"

namespace espalier {
namespace {

struct Destroy {
  void operator()(void* handle) const { tjDestroy(handle); }
};

// One decompressor a thread, as they are costly to make. One that has failed remembers parts of the
// damaged picture, so it is not used again.
class Decompressor {
 public:
  [[nodiscard]] tjhandle get() {
    if (handle_ == nullptr) handle_.reset(tjInitDecompress());
    ESPALIER_ASSERT(handle_ != nullptr, "libjpeg-turbo has no memory for a decompressor");
    return handle_.get();
  }
  // What the last failure was.
  [[nodiscard]] std::string discard() {
    std::string reason = tjGetErrorStr2(handle_.get());
    handle_.reset();
    return reason;
  }
  [[nodiscard]] bool only_warned() const { return tjGetErrorCode(handle_.get()) == TJERR_WARNING; }

 private:
  std::unique_ptr<void, Destroy> handle_;
};

thread_local Decompressor decompressor;

// A warning leaves a picture that other readers accept too, unless the end of the file is missing.
bool has_end(std::string_view bytes) {
  const std::size_t start = jpeg_scan_start(bytes);
  return start != bytes.npos && bytes.find("\xff\xd9", start) != bytes.npos;
}

// The smallest of the scales with fast code whose shorter side is long enough.
tjscalingfactor scale_for(const ImageHeader& header, std::int64_t shrink_to) {
  tjscalingfactor scale{1, 1};
  if (shrink_to <= 0) return scale;
  const auto shorter = static_cast<int>(std::min(header.width, header.height));
  for (const int denominator : {2, 4, 8}) {
    const tjscalingfactor smaller{1, denominator};
    if (TJSCALED(shorter, smaller) >= shrink_to) scale = smaller;
  }
  return scale;
}

std::uint8_t product(unsigned a, unsigned b) {
  const unsigned t = a * b + 128;
  return static_cast<std::uint8_t>((t + (t >> 8)) >> 8);
}

// Adobe stores inverted inks: red is what cyan and black let through.
void cmyk_to_rgb(const std::vector<std::uint8_t>& cmyk, std::vector<std::uint8_t>& rgb) {
  for (std::size_t i = 0; 4 * i < cmyk.size(); ++i) {
    const std::uint8_t* ink = &cmyk[4 * i];
    for (std::size_t c = 0; c < 3; ++c) {
      rgb[3 * i + c] = static_cast<std::uint8_t>(ink[3] - product(255u - ink[c], ink[3]));
    }
  }
}

}  // namespace

ImageHeader jpeg_header(std::string_view bytes, std::string_view origin) {
  int width = 0, height = 0, subsampling = 0, colours = 0;
  const int failed = tjDecompressHeader3(decompressor.get(), unsigned_bytes(bytes), bytes.size(),
                                         &width, &height, &subsampling, &colours);
  if ((failed != 0 && !decompressor.only_warned()) || width <= 0 || height <= 0) {
    throw undecodable(ImageFormat::jpeg, origin, decompressor.discard());
  }
  return {.format = ImageFormat::jpeg, .width = width, .height = height, .orientation = 1};
}

Image decode_jpeg(std::string_view bytes, std::string_view origin, const ImageHeader& header,
                  const DecodeOptions& options) {
  int width = 0, height = 0, subsampling = 0, colours = 0;
  const tjhandle handle = decompressor.get();
  tjDecompressHeader3(handle, unsigned_bytes(bytes), bytes.size(), &width, &height, &subsampling,
                      &colours);
  const tjscalingfactor scale = scale_for(header, options.shrink_to);
  Image image{TJSCALED(width, scale), TJSCALED(height, scale), {}};
  const auto pixels = static_cast<std::size_t>(image.width * image.height);
  image.rgb.resize(3 * pixels);
  const bool inks = colours == TJCS_CMYK || colours == TJCS_YCCK;
  std::vector<std::uint8_t> cmyk(inks ? 4 * pixels : 0);
  const int failed =
      tjDecompress2(handle, unsigned_bytes(bytes), bytes.size(), (inks ? cmyk : image.rgb).data(),
                    static_cast<int>(image.width), 0, static_cast<int>(image.height),
                    inks ? TJPF_CMYK : TJPF_RGB, TJFLAG_LIMITSCANS);
  if (failed != 0 && (!decompressor.only_warned() || !has_end(bytes))) {
    throw undecodable(ImageFormat::jpeg, origin, decompressor.discard());
  }
  if (inks) cmyk_to_rgb(cmyk, image.rgb);
  return image;
}

}  // namespace espalier
