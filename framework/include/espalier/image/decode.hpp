// From the bytes of a photo to pixels.
//
// JPEG, PNG, GIF (its first frame), BMP, WebP, and where their libraries are there HEIC, AVIF and
// TIFF (its first page), told apart by content and never by name. Bytes may be hostile.
//
// The pixels are those of Pillow's convert("RGB"): alpha is dropped, CMYK is taken as Adobe writes
// it. Differences: 16-bit grey is scaled to 8 bits, where Pillow clips it; 16-bit TIFF is rounded,
// where Pillow cuts it off; HEIC and AVIF are converted by libheif, whose versions smooth colours
// differently. What a HEIC, AVIF or TIFF file itself says about turning is always applied.
#pragma once

#include <cstdint>
#include <espalier/image/image.hpp>
#include <filesystem>
#include <string_view>

namespace espalier {

enum class ImageFormat { jpeg, png, gif, bmp, webp, heic, avif, tiff };

[[nodiscard]] std::string_view to_string(ImageFormat format);

struct ImageHeader {
  ImageFormat format{};
  std::int64_t width = 0;  // as stored
  std::int64_t height = 0;
  int orientation = 1;  // EXIF, 1 to 8: how to turn the stored picture to see it upright
};

struct DecodeOptions {
  // Larger pictures are refused by their header; where Pillow stops too.
  std::int64_t max_pixels = 178'956'970;
  // Apply the EXIF orientation, which image processors ignore.
  bool upright = false;
  // Where positive, a JPEG may be decoded at 1/2, 1/4 or 1/8 of its size as long as its shorter
  // side stays at least this long: faster, and not the same pixels.
  std::int64_t shrink_to = 0;
};

// `origin` names the picture in errors. All throw Error when the bytes are no picture, are cut off
// or damaged, or declare more pixels than allowed.
[[nodiscard]] ImageHeader read_image_header(std::string_view bytes, std::string_view origin,
                                            const DecodeOptions& options = {});
[[nodiscard]] Image decode_image(std::string_view bytes, std::string_view origin,
                                 const DecodeOptions& options = {});

// Files of at most 256 MiB; of most only the first 64 KiB are read for the header.
[[nodiscard]] ImageHeader read_image_header(const std::filesystem::path& file,
                                            const DecodeOptions& options = {});
[[nodiscard]] Image read_image(const std::filesystem::path& file,
                               const DecodeOptions& options = {});

// The stored picture turned and mirrored as an EXIF orientation of 1 to 8 says.
[[nodiscard]] Image oriented(Image image, int orientation);

}  // namespace espalier
