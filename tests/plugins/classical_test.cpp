#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <espalier/image/decode.hpp>
#include <espalier/plugin/dataset.hpp>
#include <espalier/plugin/encoder.hpp>

#include "plugin_support.hpp"

namespace espalier {
namespace {

using testing_support::make;

std::vector<Image> flowers(std::int64_t size, std::size_t count) {
  const auto flora = make<Dataset>(
      "flora", {{"classes", 12}, {"per_class", 2}, {"size", size}, {"difficulty", 0.2}});
  std::vector<Image> images;
  for (std::size_t i = 0; i < count; ++i) images.push_back(flora->image(i));
  return images;
}

std::vector<float> row(const at::Tensor& rows, std::int64_t index) {
  const float* start = rows.data_ptr<float>() + index * rows.size(1);
  return {start, start + rows.size(1)};
}

double cosine(const at::Tensor& rows, std::int64_t a, std::int64_t b) {
  double sum = 0;
  const auto x = row(rows, a), y = row(rows, b);
  for (std::size_t i = 0; i < x.size(); ++i) sum += static_cast<double>(x[i]) * y[i];
  return sum;
}

TEST(Classical, GivesUnitRowsOfTheDeclaredWidth) {
  const auto encoder = make<Encoder>("classical");
  EXPECT_EQ(encoder->image_width(), 49 * 36 + 21 * 108);
  EXPECT_EQ(encoder->text_width(), 1024);
  const at::Tensor rows = encoder->encode_images(flowers(96, 3));
  ASSERT_EQ(rows.sizes(), (at::IntArrayRef{3, encoder->image_width()}));
  for (int i = 0; i < 3; ++i) EXPECT_NEAR(cosine(rows, i, i), 1, 1e-5);
}

TEST(Classical, ARowDependsOnItsOwnPictureAlone) {
  const auto encoder = make<Encoder>("classical");
  const std::vector<Image> images = flowers(64, 4);
  const at::Tensor rows = encoder->encode_images(images);
  for (std::size_t i = 0; i < images.size(); ++i) {
    const at::Tensor alone = encoder->encode_images({&images[i], 1});
    EXPECT_EQ(row(rows, static_cast<std::int64_t>(i)), row(alone, 0));
  }
}

TEST(Classical, ColourIsItsShareOfTheCosine) {
  // The same shape in red and in green: gradients agree, colours do not.
  std::vector<Image> images(2, Image{64, 64, {}});
  for (int i = 0; i < 64 * 64; ++i) {
    const std::uint8_t level =
        (i / 64 - 32) * (i / 64 - 32) + (i % 64 - 32) * (i % 64 - 32) < 400 ? 200 : 100;
    images[0].rgb.insert(images[0].rgb.end(), {level, 0, 0});
    images[1].rgb.insert(images[1].rgb.end(), {0, level, 0});
  }
  for (const double share : {0.0, 0.3, 1.0}) {
    const auto encoder = make<Encoder>("classical", {{"colour", share}});
    EXPECT_NEAR(cosine(encoder->encode_images(images), 0, 1), 1 - share, 1e-5);
  }
}

TEST(Classical, TakesPicturesOfAnySize) {
  const auto encoder = make<Encoder>("classical", {{"size", 32}});
  const std::vector<Image> images = {{1, 1, {9, 9, 9}},
                                     {300, 2, std::vector<std::uint8_t>(1800, 7)}};
  const at::Tensor rows = encoder->encode_images(images);
  for (const float value : row(rows, 0)) EXPECT_TRUE(std::isfinite(value));
  EXPECT_EQ(encoder->encode_images({}).size(0), 0);
}

TEST(Classical, FitsItsWordsOnTrainingTexts) {
  const auto encoder = make<Encoder>("classical");
  const std::vector<std::string> texts = {"a red flower", "a red tulip", "a blue flower", ""};
  const at::Tensor before = encoder->encode_texts(texts);
  encoder->fit({texts.data(), 3});
  const at::Tensor after = encoder->encode_texts(texts);
  EXPECT_NE(row(before, 0), row(after, 0));
  EXPECT_NEAR(cosine(after, 0, 0), 1, 1e-5);
  EXPECT_EQ(cosine(after, 3, 3), 0);
}

}  // namespace
}  // namespace espalier
