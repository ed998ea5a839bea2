#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/core/error.hpp>
#include <espalier/dataset/dataset_check.hpp>

namespace espalier {
namespace {

using testing::ElementsAre;
using testing::Pair;

// Pictures of 16 x 8 pixels with a bright stripe: pattern says where, shade how bright.
class Stripes final : public Dataset {
 public:
  struct Picture {
    std::int64_t label;
    Split split;
    std::int64_t stripe;  // -1: cannot be read
    std::uint8_t shade;
  };
  explicit Stripes(std::vector<Picture> pictures) : pictures_(std::move(pictures)) {
    for (std::size_t i = 0; i < pictures_.size(); ++i) {
      samples_.push_back({std::to_string(i), pictures_[i].label, pictures_[i].split});
    }
  }
  const std::vector<std::string>& class_names() const override { return names_; }
  const std::vector<Sample>& samples() const override { return samples_; }
  Image image(std::size_t index) const override {
    const Picture& picture = pictures_[index];
    if (picture.stripe < 0) {
      throw Error({.what = "damaged", .where = {}, .expected = {}, .found = {}, .fix = {}});
    }
    Image image{16, 8, std::vector<std::uint8_t>(16 * 8 * 3, 20)};
    for (std::int64_t y = 0; y < 8; ++y) {
      for (std::int64_t x = 4 * picture.stripe; x < 4 * picture.stripe + 4; ++x) {
        for (int c = 0; c < 3; ++c) {
          image.rgb[static_cast<std::size_t>(3 * (y * 16 + x) + c)] = picture.shade;
        }
      }
    }
    return image;
  }

 private:
  std::vector<std::string> names_{"a", "b"};
  std::vector<Picture> pictures_;
  std::vector<Sample> samples_;
};

TEST(DatasetCheckTest, CountsClassesBySplit) {
  const Stripes data({{0, Split::train, 0, 90}, {0, Split::test, 1, 90}, {1, Split::train, 2, 90}});
  const DatasetCheck check = check_dataset(data);
  EXPECT_THAT(check.counts, ElementsAre(ElementsAre(0, 1, 0, 1), ElementsAre(0, 1, 0, 0)));
  EXPECT_THAT(check.widths, ElementsAre(16, 16, 16));
  EXPECT_TRUE(check.duplicates.empty());
  EXPECT_TRUE(check.unreadable.empty());
}

TEST(DatasetCheckTest, FindsTheSamePixelsAndWhatTheyMean) {
  const Stripes data({{0, Split::train, 0, 90},
                      {0, Split::train, 1, 90},
                      {0, Split::test, 0, 90},
                      {1, Split::train, 1, 90}});
  const DatasetCheck check = check_dataset(data);
  EXPECT_THAT(check.duplicates, ElementsAre(ElementsAre(0, 2), ElementsAre(1, 3)));
  EXPECT_THAT(check.leaks(data), ElementsAre(0));
  EXPECT_THAT(check.conflicts(data), ElementsAre(1));
}

TEST(DatasetCheckTest, GoesOnAfterWhatCannotBeRead) {
  const Stripes data({{0, Split::train, -1, 0}, {1, Split::train, 1, 90}});
  const DatasetCheck check = check_dataset(data);
  EXPECT_THAT(check.unreadable, ElementsAre(Pair(0, "damaged")));
  EXPECT_THAT(check.heights, ElementsAre(8, 8, 8));
}

// The same stripe a little brighter has the same difference hash; the same split does not matter.
TEST(DatasetCheckTest, FindsPicturesOfTwoSplitsThatLookAlike) {
  const Stripes data({{0, Split::train, 0, 90},
                      {0, Split::test, 0, 95},
                      {0, Split::train, 0, 99},
                      {0, Split::test, 2, 90}});
  EXPECT_FALSE(check_dataset(data).near_duplicates.has_value());
  const DatasetCheck check =
      check_dataset(data, {.threads = 3, .near_duplicates = true, .progress = {}});
  ASSERT_TRUE(check.near_duplicates.has_value());
  EXPECT_THAT(*check.near_duplicates, ElementsAre(Pair(0, 1), Pair(1, 2)));
}

}  // namespace
}  // namespace espalier
