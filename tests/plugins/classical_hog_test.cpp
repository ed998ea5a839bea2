#include "encoders/classical/hog.hpp"

#include <gtest/gtest.h>

#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>

namespace espalier {
namespace {

Image picture(const Json& c) {
  Image image{c.at("width"), c.at("height"), {}};
  const auto seed = c.at("seed").get<std::int64_t>();
  for (std::int64_t i = 0; i < 3 * image.width * image.height; ++i) {
    image.rgb.push_back(
        static_cast<std::uint8_t>((i * i * 7 + i * 31) / (11 + i % 5) * seed % 256));
  }
  return image;
}

// hog.json has scikit-image's values, written by tests/python/hog_test.py with 7 decimals; a float
// adds 6e-8 to that.
TEST(Hog, EqualsScikitImage) {
  const Json cases = parse_json(read_file(ESPALIER_SOURCE_DIR "/tests/data/hog.json"), "hog.json");
  ASSERT_EQ(cases.size(), 3u);
  for (const Json& c : cases) {
    const HogOptions options{c.at("orientations"), c.at("cell"), c.at("block")};
    const Image image = picture(c);
    const std::vector<float> got = hog(image, options);
    ASSERT_EQ(got.size(), c.at("hog").size());
    EXPECT_EQ(std::ssize(got), hog_width(image.width, image.height, options));
    for (std::size_t i = 0; i < got.size(); ++i) {
      EXPECT_NEAR(got[i], c.at("hog")[i].get<double>(), 2e-7) << i;
    }
  }
}

// A vertical edge: all gradients point across, so each cell has orientation 0 alone. A block's four
// cells have lengths 0, m, 0, m (the edge lies in the right cells): 0.5^0.5, cut to 0.2, and again
// 0.5^0.5.
TEST(Hog, AVerticalEdgeHasOneOrientation) {
  Image image{16, 16, {}};
  for (int i = 0; i < 256; ++i) image.rgb.insert(image.rgb.end(), 3, i % 16 < 12 ? 0 : 200);
  const std::vector<float> got = hog(image, {});
  ASSERT_EQ(got.size(), 36u);
  for (std::size_t i = 0; i < got.size(); ++i) {
    EXPECT_NEAR(got[i], i == 9 || i == 27 ? 0.70710678 : 0.0, 1e-6) << i;
  }
}

TEST(Hog, APictureSmallerThanABlockHasNone) {
  EXPECT_EQ(hog_width(15, 40, {}), 0);
  EXPECT_TRUE(hog({15, 40, std::vector<std::uint8_t>(3 * 15 * 40)}, {}).empty());
}

}  // namespace
}  // namespace espalier
