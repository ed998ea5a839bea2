#include <espalier/image/png.hpp>

#include <algorithm>
#include <cstdlib>
#include <espalier/core/error.hpp>
#include <espalier/image/resize.hpp>

#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#define STBI_WRITE_NO_STDIO
#include <stb/stb_image_write.h>

#if !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#endif
#include <stb/stb_easy_font.h>
#if !defined(__clang__)
#pragma GCC diagnostic pop
#endif

namespace espalier {
namespace {

constexpr std::int64_t gap = 4;
constexpr std::int64_t caption_height = 14;
constexpr std::size_t longest_text = 200;

Image fitted(const Image& image, std::int64_t cell) {
  const std::int64_t longer = std::max(image.width, image.height);
  const auto side = [&](std::int64_t length) {
    return std::max<std::int64_t>(1, length * cell / longer);
  };
  return resize(image, side(image.width), side(image.height), Filter::bicubic);
}

void paste(const Image& image, std::int64_t left, std::int64_t top, Image& sheet) {
  for (std::int64_t y = 0; y < image.height; ++y) {
    std::copy_n(image.rgb.begin() + 3 * y * image.width, 3 * image.width,
                sheet.rgb.begin() + 3 * ((top + y) * sheet.width + left));
  }
}

void fill_dark(std::int64_t left, std::int64_t top, std::int64_t right, std::int64_t bottom,
               Image& sheet) {
  right = std::min(right, sheet.width);
  bottom = std::min(bottom, sheet.height);
  for (std::int64_t y = top; y < bottom; ++y) {
    for (std::int64_t x = left; x < right; ++x) {
      std::fill_n(sheet.rgb.begin() + 3 * (y * sheet.width + x), 3, std::uint8_t{32});
    }
  }
}

// The font is made of rectangles with corners at whole pixels.
void write_text(std::string text, std::int64_t left, std::int64_t top, Image& sheet) {
  struct Corner {
    float x, y, z;
    unsigned char colour[4];
  };
  text.resize(std::min(text.size(), longest_text));
  for (char& c : text) c = c >= ' ' && c <= '~' ? c : '?';
  std::vector<Corner> corners(longest_text * 70);
  const int quads = stb_easy_font_print(0, 0, text.data(), nullptr, corners.data(),
                                        static_cast<int>(corners.size() * sizeof(Corner)));
  for (std::size_t i = 0; i < static_cast<std::size_t>(quads); ++i) {
    const Corner& from = corners[4 * i];
    const Corner& to = corners[4 * i + 2];
    fill_dark(left + static_cast<std::int64_t>(from.x), top + static_cast<std::int64_t>(from.y),
              left + static_cast<std::int64_t>(to.x), top + static_cast<std::int64_t>(to.y), sheet);
  }
}

}  // namespace

std::string encode_png(const Image& image) {
  int size = 0;
  unsigned char* bytes = stbi_write_png_to_mem(image.rgb.data(), static_cast<int>(3 * image.width),
                                               static_cast<int>(image.width),
                                               static_cast<int>(image.height), 3, &size);
  ESPALIER_ASSERT(bytes != nullptr, "no memory for a PNG");
  std::string result(reinterpret_cast<const char*>(bytes), static_cast<std::size_t>(size));
  std::free(bytes);
  return result;
}

Image contact_sheet(std::span<const SheetRow> rows, std::int64_t cell) {
  std::size_t columns = 1;
  for (const SheetRow& row : rows) columns = std::max(columns, row.images.size());
  const std::int64_t row_height = caption_height + cell + gap;
  Image sheet{gap + static_cast<std::int64_t>(columns) * (cell + gap),
              std::max<std::int64_t>(1, gap + std::ssize(rows) * row_height),
              {}};
  sheet.rgb.assign(static_cast<std::size_t>(3 * sheet.width * sheet.height), 255);
  std::int64_t top = gap;
  for (const SheetRow& row : rows) {
    write_text(row.caption, gap, top, sheet);
    std::int64_t left = gap;
    for (const Image& image : row.images) {
      const Image small = fitted(image, cell);
      paste(small, left + (cell - small.width) / 2,
            top + caption_height + (cell - small.height) / 2, sheet);
      left += cell + gap;
    }
    top += row_height;
  }
  return sheet;
}

}  // namespace espalier
