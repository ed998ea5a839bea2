#include <algorithm>
#include <cstdlib>
#include <memory>

#include "decode_internal.hpp"

namespace espalier {
namespace {

// The largest block that the decoder may ask for while a picture is decoded on this thread.
thread_local std::size_t block_limit = 0;

void* limited_allocate(std::size_t size) {
  return size <= block_limit ? std::malloc(size) : nullptr;
}

void* limited_resize(void* block, std::size_t size) {
  return size <= block_limit ? std::realloc(block, size) : nullptr;
}

}  // namespace
}  // namespace espalier

#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_STATIC
#define STBI_NO_STDIO
#define STBI_NO_LINEAR
#define STBI_NO_HDR
#define STBI_ONLY_GIF
#define STBI_ONLY_BMP
#define STBI_MALLOC(size) espalier::limited_allocate(size)
#define STBI_REALLOC(block, size) espalier::limited_resize(block, size)
#define STBI_FREE(block) std::free(block)
#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // of callbacks that are not used
#endif
#include <stb/stb_image.h>
#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif

namespace espalier {
namespace {

// Hands bytes to stb, which reads zeros behind the end of a file and does not say so.
struct StbSource {
  std::string_view rest;
  bool exhausted = false;

  static int read(void* self, char* to, int size) {
    auto& source = *static_cast<StbSource*>(self);
    const std::size_t count = source.rest.copy(to, static_cast<std::size_t>(size));
    source.rest.remove_prefix(count);
    source.exhausted |= count == 0;
    return static_cast<int>(count);
  }
  static void skip(void* self, int size) {
    auto& source = *static_cast<StbSource*>(self);
    const auto count = static_cast<std::size_t>(std::max(size, 0));
    source.exhausted |= size < 0 || count > source.rest.size();
    source.rest.remove_prefix(std::min(count, source.rest.size()));
  }
  static int at_end(void* self) { return static_cast<StbSource*>(self)->rest.empty() ? 1 : 0; }
};

struct Free {
  void operator()(stbi_uc* data) const { stbi_image_free(data); }
};

std::string reason() {
  const char* text = stbi_failure_reason();
  return text == nullptr ? "damaged data" : text;
}

}  // namespace

ImageHeader stb_header(ImageFormat format, std::string_view bytes, std::string_view origin) {
  block_limit = std::size_t{16} << 20;
  int width = 0, height = 0, channels = 0;
  const int known = stbi_info_from_memory(unsigned_bytes(bytes), static_cast<int>(bytes.size()),
                                          &width, &height, &channels);
  if (known == 0 || width <= 0 || height <= 0) throw undecodable(format, origin, reason());
  return {.format = format, .width = width, .height = height, .orientation = 1};
}

Image decode_stb(std::string_view bytes, std::string_view origin, const ImageHeader& header) {
  const auto pixels = static_cast<std::size_t>(header.width * header.height);
  block_limit = 9 * pixels + bytes.size() + (std::size_t{1} << 20);
  const stbi_io_callbacks callbacks{&StbSource::read, &StbSource::skip, &StbSource::at_end};
  StbSource source{bytes};
  int width = 0, height = 0, channels = 0;
  const std::unique_ptr<stbi_uc, Free> data(
      stbi_load_from_callbacks(&callbacks, &source, &width, &height, &channels, 3));
  if (data == nullptr) throw undecodable(header.format, origin, reason());
  if (source.exhausted) throw undecodable(header.format, origin, "an early end");
  const std::int64_t bytes_out = std::int64_t{3} * width * height;
  return {width, height, {data.get(), data.get() + bytes_out}};
}

ImageHeader bmp_header(std::string_view bytes, std::string_view origin) {
  return stb_header(ImageFormat::bmp, bytes, origin);
}

Image decode_bmp(std::string_view bytes, std::string_view origin, const ImageHeader& header,
                 const DecodeOptions&) {
  return decode_stb(bytes, origin, header);
}

}  // namespace espalier
