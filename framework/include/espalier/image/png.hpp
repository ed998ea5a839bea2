// Pictures written for people to look at.
#pragma once

#include <espalier/image/image.hpp>
#include <span>
#include <string>
#include <vector>

namespace espalier {

// The bytes of an 8-bit RGB PNG. The picture must have pixels.
[[nodiscard]] std::string encode_png(const Image& image);

// A line of a contact sheet: a caption and the pictures below it.
struct SheetRow {
  std::string caption;  // what is not ASCII shows as `?`
  std::vector<Image> images;
};

// All rows below each other on white; every picture is fitted into a square of `cell` pixels.
[[nodiscard]] Image contact_sheet(std::span<const SheetRow> rows, std::int64_t cell);

}  // namespace espalier
