#include <espalier/image/resize.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/image/decode.hpp>

#include "image/golden_images.hpp"
#include "tensor/golden_tensors.hpp"

namespace espalier {
namespace {

using testing_support::golden_dir;
using testing_support::GoldenTensors;

Image checkered(std::int64_t width, std::int64_t height) {
  Image image{width, height, {}};
  for (std::int64_t i = 0; i < 3 * width * height; ++i) {
    image.rgb.push_back(static_cast<std::uint8_t>(i * 37 % 256));
  }
  return image;
}

// 4 pixels to 2 by the triangle of half-width 2: weights 3/8 3/8 1/8 and 1/8 at the edges,
// normalised by 7/8. Levels 0 70 140 210: (0*3 + 70*3 + 140)/7 = 50 and (70 + 140*3 + 210*3)/7 =
// 160.
TEST(Resize, HalvesARowAsByHand) {
  Image image{4, 1, {}};
  for (const std::uint8_t level : {0, 70, 140, 210}) image.rgb.insert(image.rgb.end(), 3, level);
  const Image half = resize(image, 2, 1, Filter::bilinear);
  EXPECT_EQ(half.rgb, (std::vector<std::uint8_t>{50, 50, 50, 160, 160, 160}));
}

TEST(Resize, LeavesAPictureOfTheSameSizeAlone) {
  const Image image = checkered(13, 7);
  EXPECT_EQ(resize(image, 13, 7, Filter::bicubic), image);
}

TEST(Resize, KeepsOneColourExactly) {
  Image image{50, 31, std::vector<std::uint8_t>(3 * 50 * 31, 201)};
  for (const Filter filter : {Filter::bilinear, Filter::bicubic}) {
    for (const auto& [w, h] : {std::pair{7, 90}, {120, 3}, {1, 1}}) {
      const Image other = resize(image, w, h, filter);
      EXPECT_EQ(other.rgb, std::vector<std::uint8_t>(other.rgb.size(), 201)) << w << "x" << h;
    }
  }
}

// Growing, shrinking and kept sides, both orders of passes, parts in corners and in the middle.
TEST(ResizePart, IsAPartOfTheWhole) {
  const Image image = checkered(41, 67);
  for (const auto& [width, height] : {std::pair{17, 23}, {90, 30}, {41, 20}, {20, 67}, {41, 67}}) {
    for (const PassOrder order : {PassOrder::horizontal_first, PassOrder::pillow_13}) {
      const Image whole = resize(image, width, height, Filter::bicubic, order);
      for (const Region& part : {Region{0, 0, 5, 7}, {width - 5, height - 7, 5, 7}, {6, 8, 4, 9}}) {
        EXPECT_EQ(resize_part(image, width, height, part, Filter::bicubic, order),
                  crop(whole, part.left, part.top, part.width, part.height))
            << width << "x" << height << " from " << part.left;
      }
    }
  }
}

TEST(Crop, TakesTheRightPart) {
  const Image image = checkered(5, 4);
  const Image part = crop(image, 1, 2, 3, 2);
  EXPECT_EQ(part.width, 3);
  for (std::int64_t y = 0; y < 2; ++y) {
    for (std::int64_t x = 0; x < 9; ++x) {
      EXPECT_EQ(part.rgb[static_cast<std::size_t>(9 * y + x)],
                image.rgb[static_cast<std::size_t>(15 * (y + 2) + 3 + x)]);
    }
  }
}

Image clip_size(const Image& image, std::int64_t side, PassOrder order) {
  const bool wide = image.width > image.height;
  const std::int64_t longer =
      side * std::max(image.width, image.height) / std::min(image.width, image.height);
  const Image small =
      resize(image, wide ? longer : side, wide ? side : longer, Filter::bicubic, order);
  return crop(small, (small.width - side) / 2, (small.height - side) / 2, side, side);
}

// Shorter side to 224 or 96 by bicubic and the middle of it, and 64 x 64 by bilinear: every byte of
// what Pillow 13 gives, and of the other order of passes where the two differ.
TEST(Resize, EqualsPillowInEveryByte) {
  const auto cases = testing_support::golden_image_cases();
  if (!cases) GTEST_SKIP() << "no " << golden_dir() / "images";
  const GoldenTensors expected(golden_dir() / "images" / "expected.safetensors");
  int checked = 0;
  for (const Json& item : *cases) {
    const auto name = item.at("name").get<std::string>();
    if (item.contains("error") || name == "gray16") continue;
    const Image image = read_image(golden_dir() / ".." / item.at("path").get<std::string>());
    for (const PassOrder order : {PassOrder::pillow_13, PassOrder::horizontal_first}) {
      const auto want = [&](const std::string& kind) {
        const std::string other = name + "." + kind + ".horizontal_first";
        const bool differs = order == PassOrder::horizontal_first && expected.has(other);
        checked += differs ? 100 : 1;
        return expected.bytes(differs ? other : name + "." + kind);
      };
      EXPECT_EQ(clip_size(image, 224, order).rgb, want("clip224")) << name;
      EXPECT_EQ(clip_size(image, 96, order).rgb, want("clip96")) << name;
      EXPECT_EQ(resize(image, 64, 64, Filter::bilinear, order).rgb, want("bilinear64")) << name;
    }
  }
  EXPECT_GT(checked, 500);
}

TEST(Orientation, TurnsAsPillowDoes) {
  const auto cases = testing_support::golden_image_cases();
  if (!cases) GTEST_SKIP() << "no " << golden_dir() / "images";
  const GoldenTensors expected(golden_dir() / "images" / "expected.safetensors");
  DecodeOptions options;
  options.upright = true;
  const Image image = read_image(golden_dir() / "images" / "files" / "exif_6.jpg", options);
  EXPECT_EQ(clip_size(image, 96, PassOrder::pillow_13).rgb,
            expected.bytes("exif_6.upright.clip96"));
}

}  // namespace
}  // namespace espalier
