#include <spng.h>

#include <memory>

#include "decode_internal.hpp"

namespace espalier {
namespace {

// Of one chunk, and of all that are kept: profiles and texts, which may be compressed bombs.
constexpr std::size_t chunk_limit = std::size_t{16} << 20;
constexpr std::size_t all_chunks_limit = std::size_t{64} << 20;

struct FreeContext {
  void operator()(spng_ctx* context) const { spng_ctx_free(context); }
};
using PngContext = std::unique_ptr<spng_ctx, FreeContext>;

void expect_png(int result, std::string_view origin) {
  if (result == 0) return;
  throw undecodable(ImageFormat::png, origin, spng_strerror(result));
}

PngContext open_png(std::string_view bytes, std::string_view origin) {
  PngContext context(spng_ctx_new(0));
  ESPALIER_ASSERT(context != nullptr, "no memory to read a PNG");
  expect_png(spng_set_crc_action(context.get(), SPNG_CRC_ERROR, SPNG_CRC_ERROR), origin);
  expect_png(spng_set_chunk_limits(context.get(), chunk_limit, all_chunks_limit), origin);
  expect_png(spng_set_png_buffer(context.get(), bytes.data(), bytes.size()), origin);
  return context;
}

std::vector<std::uint8_t> pixels_as(spng_ctx* context, spng_format format,
                                    std::string_view origin) {
  std::size_t size = 0;
  expect_png(spng_decoded_image_size(context, format, &size), origin);
  std::vector<std::uint8_t> pixels(size);
  expect_png(spng_decode_image(context, pixels.data(), size, format, 0), origin);
  return pixels;
}

// The high bytes of 16-bit samples in the file's order, `channels` a pixel; grey becomes RGB.
std::vector<std::uint8_t> high_bytes(const std::vector<std::uint8_t>& raw, std::size_t channels) {
  const std::size_t pixels = raw.size() / (2 * channels);
  std::vector<std::uint8_t> rgb(3 * pixels);
  for (std::size_t i = 0; i < pixels; ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      rgb[3 * i + c] = raw[2 * (channels * i + (channels < 3 ? 0 : c))];
    }
  }
  return rgb;
}

std::size_t channels_of(const spng_ihdr& header) {
  switch (header.color_type) {
    case SPNG_COLOR_TYPE_GRAYSCALE:
      return 1;
    case SPNG_COLOR_TYPE_GRAYSCALE_ALPHA:
      return 2;
    case SPNG_COLOR_TYPE_TRUECOLOR:
      return 3;
    default:
      return 4;
  }
}

}  // namespace

ImageHeader png_header(std::string_view bytes, std::string_view origin) {
  const PngContext context = open_png(bytes, origin);
  spng_ihdr header{};
  expect_png(spng_get_ihdr(context.get(), &header), origin);
  return {
      .format = ImageFormat::png, .width = header.width, .height = header.height, .orientation = 1};
}

Image decode_png(std::string_view bytes, std::string_view origin, const ImageHeader& header,
                 const DecodeOptions&) {
  const PngContext context = open_png(bytes, origin);
  spng_ihdr stored{};
  expect_png(spng_get_ihdr(context.get(), &stored), origin);
  const bool deep = stored.bit_depth == 16;
  std::vector<std::uint8_t> pixels =
      pixels_as(context.get(), deep ? SPNG_FMT_RAW : SPNG_FMT_RGB8, origin);
  expect_png(spng_decode_chunks(context.get()), origin);
  if (deep) pixels = high_bytes(pixels, channels_of(stored));
  return {header.width, header.height, std::move(pixels)};
}

}  // namespace espalier
