#include <espalier/image/png.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <espalier/image/decode.hpp>

namespace espalier {
namespace {

Image picture(std::int64_t width, std::int64_t height, int step) {
  Image image{width, height, {}};
  for (std::int64_t i = 0; i < 3 * width * height; ++i) {
    image.rgb.push_back(static_cast<std::uint8_t>(i * step));
  }
  return image;
}

TEST(Png, IsReadBackAsItWas) {
  for (const Image& image : {picture(1, 1, 7), picture(17, 5, 13), picture(64, 200, 3)}) {
    EXPECT_EQ(decode_image(encode_png(image), "test"), image);
  }
}

std::int64_t dark_pixels(const Image& image, std::int64_t top, std::int64_t bottom) {
  const auto begin = image.rgb.begin() + 3 * top * image.width;
  return std::count(begin, image.rgb.begin() + 3 * bottom * image.width, std::uint8_t{32});
}

// Two rows of cells of 20 pixels with gaps of 4 and captions of 14 pixels.
TEST(ContactSheet, PlacesRowsCaptionsAndPictures) {
  const Image black{10, 5, std::vector<std::uint8_t>(150, 0)};
  const std::vector<SheetRow> rows = {{"rose", {black, black}}, {"", {black}}};
  const Image sheet = contact_sheet(rows, 20);
  EXPECT_EQ(sheet.width, 4 + 2 * 24);
  EXPECT_EQ(sheet.height, 4 + 2 * 38);
  EXPECT_GT(dark_pixels(sheet, 4, 18), 60);
  EXPECT_EQ(dark_pixels(sheet, 42, 56), 0);
  const auto level = [&](std::int64_t x, std::int64_t y) {
    return sheet.rgb[static_cast<std::size_t>(3 * (y * sheet.width + x))];
  };
  EXPECT_EQ(level(4, 18 + 5), 0);  // 20 x 10 in the middle of a cell of 20 x 20
  EXPECT_EQ(level(4, 18 + 4), 255);
  EXPECT_EQ(level(28, 18 + 10), 0);
  EXPECT_EQ(level(28, 56 + 10), 255);
}

TEST(ContactSheet, SurvivesAnyCaptionAndNoRows) {
  const Image one = picture(3, 3, 5);
  const std::vector<SheetRow> rows = {{std::string(5000, 'x'), {one}},
                                      {"\xc3\xa9t\xc3\xa9\n\x01", {}}};
  EXPECT_EQ(contact_sheet(rows, 8).width, 16);
  EXPECT_GE(contact_sheet({}, 8).height, 1);
}

}  // namespace
}  // namespace espalier
