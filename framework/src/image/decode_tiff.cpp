#include <tiffio.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <memory>

#include "decode_internal.hpp"

namespace espalier {
namespace {

// What libtiff reads, and the first thing that it found wrong.
struct TiffSource {
  std::string_view bytes;
  std::size_t at = 0;
  std::string problem;

  static tmsize_t read(thandle_t self, void* to, tmsize_t size) {
    auto& source = *static_cast<TiffSource*>(self);
    const std::string_view rest = source.bytes.substr(std::min(source.at, source.bytes.size()));
    const std::size_t count = rest.copy(static_cast<char*>(to), static_cast<std::size_t>(size));
    source.at += count;
    return static_cast<tmsize_t>(count);
  }
  static tmsize_t write(thandle_t, void*, tmsize_t) { return 0; }
  static toff_t seek(thandle_t self, toff_t offset, int whence) {
    auto& source = *static_cast<TiffSource*>(self);
    source.at = whence == SEEK_CUR   ? source.at + offset
                : whence == SEEK_END ? source.bytes.size() + offset
                                     : offset;
    return source.at;
  }
  static int close(thandle_t) { return 0; }
  static toff_t size(thandle_t self) { return static_cast<TiffSource*>(self)->bytes.size(); }
  static int failed(TIFF*, void* self, const char*, const char* format, va_list values) {
    auto& source = *static_cast<TiffSource*>(self);
    std::array<char, 200> text{};
    std::vsnprintf(text.data(), text.size(), format, values);
    if (source.problem.empty()) source.problem = text.data();
    return 1;
  }
  static int warned(TIFF*, void*, const char*, const char*, va_list) { return 1; }
};

struct Close {
  void operator()(TIFF* tiff) const { TIFFClose(tiff); }
};
using File = std::unique_ptr<TIFF, Close>;

File open_tiff(TiffSource& source, std::string_view origin) {
  // Room for a strip of the largest picture that is allowed, in 16 bits and with alpha.
  constexpr tmsize_t largest_block = tmsize_t{1} << 31;
  const std::unique_ptr<TIFFOpenOptions, void (*)(TIFFOpenOptions*)> options(TIFFOpenOptionsAlloc(),
                                                                             TIFFOpenOptionsFree);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), largest_block);
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), &TiffSource::failed, &source);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), &TiffSource::warned, nullptr);
  // `m`: never mapped.
  File file(TIFFClientOpenExt("picture", "rm", &source, &TiffSource::read, &TiffSource::write,
                              &TiffSource::seek, &TiffSource::close, &TiffSource::size, nullptr,
                              nullptr, options.get()));
  if (file == nullptr) throw undecodable(ImageFormat::tiff, origin, source.problem);
  return file;
}

struct Size {
  std::uint32_t width = 0, height = 0;
  std::uint16_t orientation = 1;
};

Size size_of(TIFF* tiff, std::string_view origin) {
  Size size;
  TIFFGetField(tiff, TIFFTAG_IMAGEWIDTH, &size.width);
  TIFFGetField(tiff, TIFFTAG_IMAGELENGTH, &size.height);
  TIFFGetFieldDefaulted(tiff, TIFFTAG_ORIENTATION, &size.orientation);
  if (size.width == 0 || size.height == 0)
    throw undecodable(ImageFormat::tiff, origin, "no pixels");
  return size;
}

// Lets libtiff take colours as they are stored, which it would multiply by their alpha.
void keep_colours(TIFF* tiff) {
  std::uint16_t count = 0;
  std::uint16_t* kinds = nullptr;
  if (TIFFGetField(tiff, TIFFTAG_EXTRASAMPLES, &count, &kinds) != 1 || count == 0) return;
  const std::vector<std::uint16_t> plain(count, EXTRASAMPLE_UNSPECIFIED);
  TIFFSetField(tiff, TIFFTAG_EXTRASAMPLES, count, plain.data());
}

// In the file's own order of rows and columns, 0xAABBGGRR a pixel.
std::vector<std::uint32_t> raster_of(TIFF* tiff, const Size& size, const TiffSource& source,
                                     std::string_view origin) {
  std::vector<std::uint32_t> raster(std::size_t{size.width} * size.height);
  TIFFSetField(tiff, TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
  constexpr int stop_on_error = 1;
  if (TIFFReadRGBAImageOriented(tiff, size.width, size.height, raster.data(), ORIENTATION_TOPLEFT,
                                stop_on_error) != 1 ||
      !source.problem.empty()) {
    throw undecodable(ImageFormat::tiff, origin, source.problem);
  }
  return raster;
}

}  // namespace

ImageHeader tiff_header(std::string_view bytes, std::string_view origin) {
  TiffSource source{bytes, 0, {}};
  const File file = open_tiff(source, origin);
  const Size size = size_of(file.get(), origin);
  ImageHeader header{ImageFormat::tiff, size.width, size.height, 1};
  if (size.orientation >= 5 && size.orientation <= 8) std::swap(header.width, header.height);
  return header;
}

Image decode_tiff(std::string_view bytes, std::string_view origin, const ImageHeader&,
                  const DecodeOptions&) {
  TiffSource source{bytes, 0, {}};
  const File file = open_tiff(source, origin);
  const Size size = size_of(file.get(), origin);
  keep_colours(file.get());
  const std::vector<std::uint32_t> raster = raster_of(file.get(), size, source, origin);
  Image image{size.width, size.height, {}};
  image.rgb.reserve(3 * raster.size());
  for (const std::uint32_t pixel : raster) {
    image.rgb.insert(image.rgb.end(), {static_cast<std::uint8_t>(TIFFGetR(pixel)),
                                       static_cast<std::uint8_t>(TIFFGetG(pixel)),
                                       static_cast<std::uint8_t>(TIFFGetB(pixel))});
  }
  return oriented(std::move(image), size.orientation);
}

}  // namespace espalier
