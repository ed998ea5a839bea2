#include <espalier/image/decode.hpp>

#include <algorithm>
#include <espalier/core/file.hpp>
#include <espalier/core/lfs_pointer.hpp>
#include <fstream>
#include <optional>

#include "decode_internal.hpp"

namespace espalier {
namespace {

constexpr std::size_t file_limit = std::size_t{256} << 20;
constexpr std::size_t header_limit = std::size_t{64} << 10;

// In the order of ImageFormat. `header` is null where this build has no library for the format.
struct Decoder {
  std::string_view name;
  ImageHeader (*header)(std::string_view bytes, std::string_view origin) = nullptr;
  Image (*decode)(std::string_view bytes, std::string_view origin, const ImageHeader& header,
                  const DecodeOptions& options) = nullptr;
  std::string_view package = {};  // that has the library
};

constexpr Decoder decoders[] = {
    {"JPEG", jpeg_header, decode_jpeg}, {"PNG", png_header, decode_png},
    {"GIF", gif_header, decode_gif},    {"BMP", bmp_header, decode_bmp},
    {"WebP", webp_header, decode_webp},
#ifdef ESPALIER_HEIF
    {"HEIC", heif_header, decode_heif}, {"AVIF", heif_header, decode_heif},
#else
    {.name = "HEIC", .package = "libheif-dev"},
    {.name = "AVIF", .package = "libheif-dev"},
#endif
#ifdef ESPALIER_TIFF
    {"TIFF", tiff_header, decode_tiff},
#else
    {.name = "TIFF", .package = "libtiff-dev"},
#endif
};

const Decoder& decoder_of(ImageFormat format) { return decoders[static_cast<std::size_t>(format)]; }

std::optional<ImageFormat> sniff(std::string_view bytes) {
  if (bytes.starts_with("\xff\xd8\xff")) return ImageFormat::jpeg;
  if (bytes.starts_with("\x89PNG\r\n\x1a\n")) return ImageFormat::png;
  if (bytes.starts_with("GIF87a") || bytes.starts_with("GIF89a")) return ImageFormat::gif;
  if (bytes.starts_with("BM")) return ImageFormat::bmp;
  if (bytes.starts_with("RIFF") && bytes.substr(0, 12).ends_with("WEBP")) return ImageFormat::webp;
  if (bytes.starts_with(std::string_view("II*\0", 4))) return ImageFormat::tiff;
  if (bytes.starts_with(std::string_view("MM\0*", 4))) return ImageFormat::tiff;
  return iso_format(bytes);
}

ImageFormat format_of(std::string_view bytes, std::string_view origin) {
  const auto format = sniff(bytes);
  if (!format) {
    throw Error({.what = "a file is no picture that can be read",
                 .where = std::string(origin),
                 .expected = "JPEG, PNG, GIF, BMP, WebP, HEIC, AVIF or TIFF",
                 .found = bytes.empty() ? "an empty file" : "other content, whatever its name says",
                 .fix = "convert or remove the file"});
  }
  const Decoder& decoder = decoder_of(*format);
  if (decoder.header != nullptr) return *format;
  throw Error({.what = "this build of Espalier reads no " + std::string(decoder.name),
               .where = std::string(origin),
               .expected = "JPEG, PNG, GIF, BMP or WebP",
               .found = std::string(decoder.name),
               .fix = "install " + std::string(decoder.package) +
                      " and build Espalier again, or convert the file"});
}

std::string read_start(const std::filesystem::path& file) {
  if (!std::filesystem::is_regular_file(file)) return read_file(file, file_limit);
  std::ifstream stream(file, std::ios::binary);
  std::string bytes(header_limit, '\0');
  stream.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(std::max<std::streamsize>(stream.gcount(), 0)));
  refuse_lfs_pointer(file, bytes);
  return bytes.empty() ? read_file(file, file_limit) : bytes;
}

}  // namespace

std::optional<ImageFormat> iso_format(std::string_view bytes) {
  if (bytes.substr(0, 8).substr(std::min<std::size_t>(bytes.size(), 4)) != "ftyp")
    return std::nullopt;
  std::size_t size = 0;
  for (const char c : bytes.substr(0, 4)) size = size << 8 | static_cast<unsigned char>(c);
  std::optional<ImageFormat> found;
  for (std::size_t at = 8; at + 4 <= std::min(size, bytes.size()); at += at == 8 ? 8 : 4) {
    const std::string_view brand = bytes.substr(at, 4);
    if (brand == "avif" || brand == "avis") return ImageFormat::avif;
    for (const std::string_view known : {"heic", "heix", "hevc", "heim", "heis", "mif1", "msf1"}) {
      if (brand == known) found = ImageFormat::heic;
    }
  }
  return found;
}

std::string_view to_string(ImageFormat format) { return decoder_of(format).name; }

ImageHeader read_image_header(std::string_view bytes, std::string_view origin,
                              const DecodeOptions& options) {
  const ImageFormat format = format_of(bytes, origin);
  ImageHeader header = decoder_of(format).header(bytes, origin);
  header.format = format;
  header.orientation = exif_orientation(format, bytes);
  if (header.width <= options.max_pixels / header.height) return header;
  throw Error({.what = "a picture is larger than allowed",
               .where = std::string(origin),
               .expected = "at most " + std::to_string(options.max_pixels) + " pixels",
               .found = std::to_string(header.width) + " x " + std::to_string(header.height),
               .fix = "scale the picture down or remove it"});
}

Image decode_image(std::string_view bytes, std::string_view origin, const DecodeOptions& options) {
  const ImageHeader header = read_image_header(bytes, origin, options);
  Image image = decoder_of(header.format).decode(bytes, origin, header, options);
  return options.upright ? oriented(std::move(image), header.orientation) : image;
}

ImageHeader read_image_header(const std::filesystem::path& file, const DecodeOptions& options) {
  const std::string start = read_start(file);
  try {
    return read_image_header(start, file.string(), options);
  } catch (const Error&) {
    if (start.size() < header_limit) throw;
  }
  return read_image_header(read_file(file, file_limit), file.string(), options);
}

Image read_image(const std::filesystem::path& file, const DecodeOptions& options) {
  return decode_image(read_file(file, file_limit), file.string(), options);
}

// Orientation 5 to 8 swaps the axes first; then 2, 3, 6, 7 mirror left and right, 3, 4, 7, 8 top
// and bottom, both as seen in the result.
Image oriented(Image image, int orientation) {
  if (orientation <= 1 || orientation > 8) return image;
  const bool swap = orientation >= 5;
  const bool mirror = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  const bool flip = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  Image result{swap ? image.height : image.width, swap ? image.width : image.height, {}};
  result.rgb.resize(image.rgb.size());
  for (std::int64_t y = 0; y < result.height; ++y) {
    for (std::int64_t x = 0; x < result.width; ++x) {
      const std::int64_t u = mirror ? result.width - 1 - x : x;
      const std::int64_t v = flip ? result.height - 1 - y : y;
      const std::int64_t from = swap ? u * image.width + v : v * image.width + u;
      std::copy_n(image.rgb.begin() + 3 * from, 3, result.rgb.begin() + 3 * (y * result.width + x));
    }
  }
  return result;
}

}  // namespace espalier
