// One decoder a format; `origin` names the picture in errors.
#pragma once

#include <espalier/core/error.hpp>
#include <espalier/image/decode.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace espalier {

// Their headers give sizes above zero, or throw. Decoders are called with what the header says
// after it has been held against options.max_pixels.
[[nodiscard]] ImageHeader jpeg_header(std::string_view bytes, std::string_view origin);
[[nodiscard]] ImageHeader png_header(std::string_view bytes, std::string_view origin);
[[nodiscard]] ImageHeader gif_header(std::string_view bytes, std::string_view origin);
[[nodiscard]] ImageHeader bmp_header(std::string_view bytes, std::string_view origin);
[[nodiscard]] ImageHeader webp_header(std::string_view bytes, std::string_view origin);
[[nodiscard]] ImageHeader heif_header(std::string_view bytes, std::string_view origin);
[[nodiscard]] ImageHeader tiff_header(std::string_view bytes, std::string_view origin);

[[nodiscard]] Image decode_jpeg(std::string_view bytes, std::string_view origin,
                                const ImageHeader& header, const DecodeOptions& options);
[[nodiscard]] Image decode_png(std::string_view bytes, std::string_view origin,
                               const ImageHeader& header, const DecodeOptions& options);
[[nodiscard]] Image decode_gif(std::string_view bytes, std::string_view origin,
                               const ImageHeader& header, const DecodeOptions& options);
[[nodiscard]] Image decode_bmp(std::string_view bytes, std::string_view origin,
                               const ImageHeader& header, const DecodeOptions& options);
[[nodiscard]] Image decode_webp(std::string_view bytes, std::string_view origin,
                                const ImageHeader& header, const DecodeOptions& options);
[[nodiscard]] Image decode_heif(std::string_view bytes, std::string_view origin,
                                const ImageHeader& header, const DecodeOptions& options);
[[nodiscard]] Image decode_tiff(std::string_view bytes, std::string_view origin,
                                const ImageHeader& header, const DecodeOptions& options);

// GIF and BMP.
[[nodiscard]] ImageHeader stb_header(ImageFormat format, std::string_view bytes,
                                     std::string_view origin);
[[nodiscard]] Image decode_stb(std::string_view bytes, std::string_view origin,
                               const ImageHeader& header);

// HEIC or AVIF, by the brands that an ISO media file names; nothing for what is no picture of
// these.
[[nodiscard]] std::optional<ImageFormat> iso_format(std::string_view bytes);

// 1 to 8 from the EXIF block of a JPEG, PNG or WebP; 1 where there is none or it is damaged.
[[nodiscard]] int exif_orientation(ImageFormat format, std::string_view bytes);

// Where the compressed data of a JPEG's first scan begins, or npos.
[[nodiscard]] std::size_t jpeg_scan_start(std::string_view bytes);

[[nodiscard]] inline Error undecodable(ImageFormat format, std::string_view origin,
                                       std::string found) {
  return Error(Problem{.what = "a picture cannot be decoded",
                       .where = std::string(origin),
                       .expected = "a whole " + std::string(to_string(format)) + " file",
                       .found = std::move(found),
                       .fix = "replace or remove the file"});
}

[[nodiscard]] inline const unsigned char* unsigned_bytes(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace espalier
