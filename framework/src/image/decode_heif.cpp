#include <libheif/heif.h>

#include <memory>

#include "decode_internal.hpp"

namespace espalier {
namespace {

ImageFormat format_of_iso(std::string_view bytes) {
  return iso_format(bytes).value_or(ImageFormat::heic);
}

template <auto release>
struct Release {
  template <class T>
  void operator()(T* object) const {
    release(object);
  }
};
using HeifContext = std::unique_ptr<heif_context, Release<heif_context_free>>;
using Handle = std::unique_ptr<heif_image_handle, Release<heif_image_handle_release>>;
using Options = std::unique_ptr<heif_decoding_options, Release<heif_decoding_options_free>>;
using Decoded = std::unique_ptr<heif_image, Release<heif_image_release>>;

void expect_heif(const heif_error& error, std::string_view bytes, std::string_view origin) {
  if (error.code == heif_error_Ok) return;
  const std::string reason = error.message == nullptr ? "damaged data" : error.message;
  const ImageFormat format = format_of_iso(bytes);
  if (error.code != heif_error_Unsupported_feature &&
      error.code != heif_error_Unsupported_filetype) {
    throw undecodable(format, origin, reason);
  }
  const bool avif = format == ImageFormat::avif;
  throw Error({.what = "libheif cannot decode this picture",
               .where = std::string(origin),
               .expected = "a codec for " + std::string(to_string(format)),
               .found = reason,
               .fix = std::string("where the codec is missing, install ") +
                      (avif ? "libheif-plugin-dav1d" : "libheif-plugin-libde265") +
                      ", or convert the file"});
}

// The picture that is meant to be shown, of several.
Handle primary(heif_context* context, std::string_view bytes, std::string_view origin) {
  heif_context_set_max_decoding_threads(context, 0);
  expect_heif(
      heif_context_read_from_memory_without_copy(context, bytes.data(), bytes.size(), nullptr),
      bytes, origin);
  heif_image_handle* handle = nullptr;
  expect_heif(heif_context_get_primary_image_handle(context, &handle), bytes, origin);
  return Handle(handle);
}

Options decoding_options() {
  Options options(heif_decoding_options_alloc());
  options->convert_hdr_to_8bit = 1;
  if (options->version >= 3) options->strict_decoding = 1;
  return options;
}

Image rows_of(const heif_image* decoded, std::string_view bytes, std::string_view origin,
              std::int64_t most_pixels) {
  int stride = 0;
  const std::uint8_t* rows =
      heif_image_get_plane_readonly(decoded, heif_channel_interleaved, &stride);
  Image image{heif_image_get_width(decoded, heif_channel_interleaved),
              heif_image_get_height(decoded, heif_channel_interleaved),
              {}};
  if (rows == nullptr || image.width <= 0 || image.height <= 0 ||
      image.width > most_pixels / image.height) {
    throw undecodable(format_of_iso(bytes), origin, "another size than its header says");
  }
  for (std::int64_t y = 0; y < image.height; ++y, rows += stride) {
    image.rgb.insert(image.rgb.end(), rows, rows + 3 * image.width);
  }
  return image;
}

}  // namespace

ImageHeader heif_header(std::string_view bytes, std::string_view origin) {
  const HeifContext context(heif_context_alloc());
  const Handle handle = primary(context.get(), bytes, origin);
  const int width = heif_image_handle_get_width(handle.get());
  const int height = heif_image_handle_get_height(handle.get());
  const ImageFormat format = format_of_iso(bytes);
  if (width <= 0 || height <= 0) throw undecodable(format, origin, "no pixels");
  return {.format = format, .width = width, .height = height, .orientation = 1};
}

Image decode_heif(std::string_view bytes, std::string_view origin, const ImageHeader&,
                  const DecodeOptions& options) {
  const HeifContext context(heif_context_alloc());
  const Handle handle = primary(context.get(), bytes, origin);
  const Options how = decoding_options();
  heif_image* decoded = nullptr;
  expect_heif(heif_decode_image(handle.get(), &decoded, heif_colorspace_RGB,
                                heif_chroma_interleaved_RGB, how.get()),
              bytes, origin);
  const Decoded owner(decoded);
  return rows_of(decoded, bytes, origin, options.max_pixels);
}

}  // namespace espalier
