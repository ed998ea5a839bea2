#include "encoders/classical/colour_pyramid.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace espalier {
namespace {

std::int64_t bin(std::int64_t hue, std::int64_t saturation, std::int64_t value) {
  return (hue * 3 + saturation) * 3 + value;
}

TEST(ColourBin, FollowsHueSaturationAndValue) {
  EXPECT_EQ(colour_bin(255, 0, 0), bin(0, 2, 2));
  EXPECT_EQ(colour_bin(255, 0, 60), bin(0, 2, 2));   // 346 degrees
  EXPECT_EQ(colour_bin(255, 0, 70), bin(11, 2, 2));  // 343.5
  EXPECT_EQ(colour_bin(255, 128, 0), bin(1, 2, 2));  // 30
  EXPECT_EQ(colour_bin(0, 255, 0), bin(4, 2, 2));
  EXPECT_EQ(colour_bin(0, 0, 100), bin(8, 2, 1));
  EXPECT_EQ(colour_bin(0, 0, 0), bin(0, 0, 0));
  EXPECT_EQ(colour_bin(90, 90, 90), bin(0, 0, 1));
  EXPECT_EQ(colour_bin(255, 255, 255), bin(0, 0, 2));
  EXPECT_EQ(colour_bin(200, 100, 100), bin(0, 1, 2));
}

TEST(ColourPyramid, ItsLengthIsOne) {
  Image image{37, 20, {}};
  for (int i = 0; i < 3 * 37 * 20; ++i) {
    image.rgb.push_back(static_cast<std::uint8_t>(i * i % 251));
  }
  for (const std::int64_t levels : {1, 2, 3}) {
    const std::vector<float> values = colour_pyramid(image, levels);
    EXPECT_EQ(std::ssize(values), colour_pyramid_width(levels));
    double square = 0;
    for (const float value : values) square += static_cast<double>(value) * value;
    EXPECT_NEAR(square, 1.0, 1e-6);
  }
}

// Left half red, right half blue, two levels of weight 1/2: half the pixels at level 0, and the
// parts of level 1, each a quarter of its weight, are of one colour.
TEST(ColourPyramid, IsAsByHand) {
  Image image{4, 4, {}};
  for (int i = 0; i < 16; ++i) {
    const bool left = i % 4 < 2;
    image.rgb.insert(image.rgb.end(),
                     {std::uint8_t(left ? 255 : 0), 0, std::uint8_t(left ? 0 : 255)});
  }
  std::vector<float> expected(5 * colour_bins);
  const std::size_t red = 8, blue = 80;
  expected[red] = expected[blue] = std::sqrt(0.25f);
  for (std::size_t part = 1; part <= 4; ++part) {
    expected[part * colour_bins + (part % 2 == 1 ? red : blue)] = std::sqrt(0.125f);
  }
  const std::vector<float> values = colour_pyramid(image, 2);
  ASSERT_EQ(values.size(), expected.size());
  for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], expected[i], 1e-7) << i;
}

}  // namespace
}  // namespace espalier
