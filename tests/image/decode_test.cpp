#include <espalier/image/decode.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <espalier/core/error.hpp>
#include <espalier/core/hash.hpp>
#include <map>

#include "image/golden_images.hpp"

namespace espalier {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing_support::golden_dir;

const std::filesystem::path images =
    std::filesystem::path(ESPALIER_SOURCE_DIR) / "tests/data/images";

std::string rgb_hash(const Image& image) {
  return hex(sha256({reinterpret_cast<const char*>(image.rgb.data()), image.rgb.size()}));
}

// Every byte equals Pillow's convert("RGB"), on every kind of file that its users have. Left out is
// 16-bit grey, which Pillow clips.
TEST(Decode, EqualsPillowInEveryByte) {
  const auto cases = testing_support::golden_image_cases();
  if (!cases) GTEST_SKIP() << "no " << golden_dir() / "images";
  int checked = 0;
  for (const Json& item : *cases) {
    const auto name = item.at("name").get<std::string>();
    const auto file = golden_dir() / ".." / item.at("path").get<std::string>();
    if (item.contains("error")) {
      EXPECT_THROW((void)read_image(file), Error) << name;
    } else if (name != "gray16") {
      const Image image = read_image(file);
      EXPECT_EQ(image.width, item.at("size")[0]) << name;
      EXPECT_EQ(image.height, item.at("size")[1]) << name;
      EXPECT_EQ(rgb_hash(image), item.at("sha256_rgb").get<std::string>()) << name;
      EXPECT_EQ(read_image_header(file).orientation, item.at("exif_orientation")) << name;
    }
    ++checked;
  }
  EXPECT_GE(checked, 40);
}

// Whether this build was made without a library that the picture needs.
bool is_without_its_library(const std::filesystem::path& file) try {
  (void)read_image_header(file);
  return false;
} catch (const Error& error) {
  return std::string_view(error.what()).find("this build of Espalier reads no") !=
         std::string_view::npos;
}

// Kinds of PNG, GIF and TIFF, equal in every byte: tests/python/images_test.py makes them.
TEST(Decode, EqualsPillowOnEveryKindOfFile) {
  const Json expected = parse_json(read_file(images / "made/expected.json"), "expected.json");
  EXPECT_GE(expected.size(), 25U);
  for (const auto& [name, want] : expected.items()) {
    if (is_without_its_library(images / "made" / name)) continue;
    const Image image = read_image(images / "made" / name);
    const ImageHeader header = read_image_header(images / "made" / name);
    EXPECT_EQ(image.width, want.at("width")) << name;
    EXPECT_EQ(image.height, want.at("height")) << name;
    EXPECT_EQ(header.width, want.at("width")) << name;
    EXPECT_EQ(header.height, want.at("height")) << name;
    EXPECT_EQ(rgb_hash(image), want.at("sha256_rgb").get<std::string>()) << name;
  }
}

// HEIC and AVIF beside what Pillow with pillow-heif, or its own libavif, makes of them. Decoders
// agree on the planes; they differ in how they smooth the halved colours and round: 1 level from
// libheif 1.15 to 1.23, up to 8 at a hard edge from libheif to libavif.
TEST(Decode, IsCloseToPillowOnWhatPhonesSave) {
  for (const auto& [name, most] : std::map<std::string, int>{
           {"plain.heic", 2}, {"turned.heic", 2}, {"alpha.heic", 2}, {"plain.avif", 10}}) {
    const std::filesystem::path file = images / "close" / name;
    if (is_without_its_library(file)) GTEST_SKIP() << "built without libheif";
    const Image found = read_image(file);
    const Image want = read_image(file.string() + ".png");
    ASSERT_EQ(found.width, want.width) << name;
    ASSERT_EQ(found.height, want.height) << name;
    int largest = 0;
    for (std::size_t i = 0; i < want.rgb.size(); ++i) {
      largest = std::max(largest, std::abs(int{found.rgb[i]} - int{want.rgb[i]}));
    }
    EXPECT_LE(largest, most) << name;
    EXPECT_EQ(read_image_header(file).orientation, 1) << "it is turned already";
  }
}

// Each chunk carries a sum of its bytes, and so does the compressed data.
TEST(Decode, RefusesAPngWithAFlippedBit) {
  for (const char* name : {"made/rgb.png", "made/palette_transparent.png", "gray_alpha.png"}) {
    const std::string bytes = read_file(images / name);
    for (std::size_t i = 0; i < 200; ++i) {
      std::string damaged = bytes;
      damaged[bytes.size() * i / 200] ^= static_cast<char>(1 << i % 8);
      EXPECT_THROW((void)decode_image(damaged, name), Error) << name << ", bit " << i;
    }
  }
}

// The same for the pictures that come with the tests: expected.json has Pillow 13's values.
TEST(Decode, EqualsPillowOnTheBundledPictures) {
  const Json expected = parse_json(read_file(images / "expected.json"), "expected.json");
  for (const auto& [name, want] : expected.items()) {
    if (want.contains("error")) continue;
    const ImageHeader header = read_image_header(images / name);
    EXPECT_EQ(header.width, want.at("width")) << name;
    EXPECT_EQ(header.height, want.at("height")) << name;
    EXPECT_EQ(header.orientation, want.at("orientation")) << name;
    EXPECT_EQ(rgb_hash(read_image(images / name)), want.at("sha256_rgb").get<std::string>())
        << name;
  }
}

std::string error_of(std::string_view bytes, const DecodeOptions& options = {}) {
  try {
    (void)decode_image(bytes, "photos/rose.jpg", options);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST(Decode, NamesThePictureAndTheReason) {
  EXPECT_THAT(error_of(""), AllOf(HasSubstr("photos/rose.jpg"), HasSubstr("an empty file")));
  EXPECT_THAT(error_of("a letter, not a photo"),
              HasSubstr("JPEG, PNG, GIF, BMP, WebP, HEIC, AVIF or TIFF"));
  EXPECT_THAT(error_of(read_file(images / "truncated.jpg")), HasSubstr("whole JPEG"));
}

// The standard allows it.
TEST(Decode, ReadsAPngWhoseFirstBlockOfDataIsEmpty) {
  const std::string bytes = read_file(images / "bilevel.png");
  const std::size_t first = bytes.find("IDAT") - 4;
  std::string padded = bytes;
  padded.insert(first, std::string("\0\0\0\0IDAT\x35\xaf\x06\x1e", 12));
  EXPECT_EQ(decode_image(padded, "padded"), decode_image(bytes, "plain"));
}

// Cut anywhere, a file is an error or, where only what follows the pixels is gone, the same
// picture.
TEST(Decode, NeverTakesHalfAPictureForAWholeOne) {
  for (const char* name : {"restart.jpg", "progressive.jpg", "bilevel.png", "two_frames.gif",
                           "lossy.webp", "picture.bmp", "made/rgb.tiff", "made/tiff_lzw.tiff",
                           "close/plain.heic", "close/plain.avif"}) {
    if (is_without_its_library(images / name)) continue;
    const std::string bytes = read_file(images / name);
    const Image whole = decode_image(bytes, name);
    for (std::size_t i = 0; i < 40; ++i) {
      const std::string part = bytes.substr(0, bytes.size() * i / 40);
      try {
        EXPECT_EQ(decode_image(part, name), whole) << name << " cut at " << part.size();
      } catch (const Error& error) {
        EXPECT_THAT(error.what(), HasSubstr(name));
      }
    }
  }
}

TEST(Decode, SurvivesFlippedBytes) {
  for (const auto& entry : std::filesystem::recursive_directory_iterator(images)) {
    if (entry.is_directory() || entry.path().extension() == ".json") continue;
    const std::string bytes = read_file(entry.path());
    for (std::size_t i = 0; i < 100; ++i) {
      std::string damaged = bytes;
      const std::size_t place = i < 50 ? i : bytes.size() * i / 100;
      damaged[place] = static_cast<char>(damaged[place] ^ (i % 2 == 0 ? 0xff : 0x10));
      try {
        (void)decode_image(damaged, "damaged", {.max_pixels = 1'000'000});
      } catch (const Error&) {
      }
    }
  }
}

// A bitmap of 30,000 x 30,000 pixels as far as its header goes.
TEST(Decode, RefusesBombsByTheirHeader) {
  std::string bytes = read_file(images / "picture.bmp");
  for (const std::size_t place : {18u, 22u})
    bytes.replace(place, 4, std::string("\x30\x75\0\0", 4));
  const std::string text = error_of(bytes);
  EXPECT_THAT(text, AllOf(HasSubstr("30000 x 30000"), HasSubstr("at most 178956970 pixels")));
  EXPECT_THAT(error_of(read_file(images / "gray.jpg"), {.max_pixels = 80'000}),
              HasSubstr("333 x 251"));
}

TEST(Decode, ShrinksWhileTheShorterSideIsLongEnough) {
  const std::string bytes = read_file(images / "gray.jpg");  // 333 x 251
  const auto height = [&](std::int64_t shrink_to) {
    return decode_image(bytes, "gray", {.shrink_to = shrink_to}).height;
  };
  EXPECT_EQ(height(0), 251);
  EXPECT_EQ(height(127), 251);
  EXPECT_EQ(height(126), 126);
  EXPECT_EQ(height(63), 63);
  EXPECT_EQ(height(1), 32);
}

// Pixels 1 2 3 / 4 5 6 for each EXIF orientation, as the standard's table draws them.
TEST(Orientation, FollowsTheStandard) {
  Image image{3, 2, {}};
  for (std::uint8_t i = 1; i <= 6; ++i) image.rgb.insert(image.rgb.end(), 3, i);
  const std::vector<std::vector<int>> expected = {
      {1, 2, 3, 4, 5, 6}, {3, 2, 1, 6, 5, 4}, {6, 5, 4, 3, 2, 1}, {4, 5, 6, 1, 2, 3},
      {1, 4, 2, 5, 3, 6}, {4, 1, 5, 2, 6, 3}, {6, 3, 5, 2, 4, 1}, {3, 6, 2, 5, 1, 4}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image turned = oriented(image, orientation);
    EXPECT_EQ(turned.width, orientation < 5 ? 3 : 2);
    for (std::size_t i = 0; i < 6; ++i) {
      EXPECT_EQ(turned.rgb[3 * i], expected[static_cast<std::size_t>(orientation - 1)][i])
          << orientation;
    }
  }
}

}  // namespace
}  // namespace espalier
