#include "train/features.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/from_blob.h>
#include <gmock/gmock.h>

#include <chrono>
#include <espalier/core/error.hpp>
#include <filesystem>
#include <numeric>
#include <thread>

namespace espalier {
namespace {

namespace fs = std::filesystem;

// Pictures that take longer the earlier they stand in a run of seven.
class Pictures final : public Dataset {
 public:
  explicit Pictures(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) samples_.push_back({.id = "p" + std::to_string(i)});
  }
  const std::vector<std::string>& class_names() const override { return names_; }
  const std::vector<Sample>& samples() const override { return samples_; }
  Image image(std::size_t index) const override {
    std::this_thread::sleep_for(std::chrono::microseconds(50 * (7 - index % 7)));
    if (index == broken) {
      throw Error({.what = samples_[index].id + " is cut off",
                   .where = {},
                   .expected = {},
                   .found = {},
                   .fix = {}});
    }
    Image image{.width = 4, .height = 4, .rgb = std::vector<std::uint8_t>(48)};
    for (std::size_t i = 0; i < image.rgb.size(); ++i) {
      image.rgb[i] = static_cast<std::uint8_t>(index * 31 + i * i);
    }
    return image;
  }

  std::size_t broken = std::numeric_limits<std::size_t>::max();

 private:
  std::vector<std::string> names_{"picture"};
  std::vector<Sample> samples_;
};

// Rows that also depend on the place in the batch, so that other batches give other rows.
class PlaceEncoder final : public Encoder {
 public:
  std::int64_t image_width() const override { return 48; }
  std::int64_t text_width() const override { return 0; }
  at::Tensor encode_texts(std::span<const std::string>) const override { return {}; }
  at::Tensor encode_images(std::span<const Image> images) const override {
    std::vector<at::Tensor> rows;
    for (const Image& image : images) {
      std::vector<float> row(image.rgb.begin(), image.rgb.end());
      row[0] += 1000.0F * static_cast<float>(rows.size());
      rows.push_back(at::from_blob(row.data(), {1, 48}, at::kFloat).clone());
    }
    return at::cat(rows);
  }
};

class FeaturesTest : public testing::Test {
 protected:
  ~FeaturesTest() override { fs::remove_all(cache_); }

  FeatureStages stages(std::int64_t threads) {
    FeatureInputs inputs;
    inputs.dataset = &pictures_;
    inputs.encoder = [] { return std::make_shared<PlaceEncoder>(); };
    inputs.dataset_name = "dataset/pictures";
    inputs.encoder_name = "encoder/place";
    inputs.stages = {{"image_features", "key-" + std::to_string(threads), "{}"}};
    inputs.storage = {.cache = cache_, .limit = unlimited, .warn = [](const std::string&) {}};
    inputs.decode_threads = threads;
    inputs.stopped = [this] { return ++asked_ > stop_after_; };
    inputs.stage = [](std::string_view) {};
    return FeatureStages(std::move(inputs));
  }
  static std::vector<std::size_t> first(std::size_t count) {
    std::vector<std::size_t> samples(count);
    std::iota(samples.begin(), samples.end(), 0);
    return samples;
  }

  fs::path cache_ =
      fs::path(testing::TempDir()) / testing::UnitTest::GetInstance()->current_test_info()->name();
  Pictures pictures_{200};
  int asked_ = 0;
  int stop_after_ = 1000;
};

TEST_F(FeaturesTest, DecodingAheadChangesNoBit) {
  std::vector<at::Tensor> one_after_another;
  for (std::size_t from = 0; from < 200; from += 64) {
    std::vector<Image> images;
    for (std::size_t i = from; i < std::min<std::size_t>(from + 64, 200); ++i) {
      images.push_back(pictures_.image(i));
    }
    one_after_another.push_back(PlaceEncoder().encode_images(images));
  }
  const at::Tensor expected = at::cat(one_after_another);
  for (const std::int64_t threads : {1, 2, 5}) {
    const auto computed = stages(threads).images(first(200));
    ASSERT_TRUE(computed);
    EXPECT_TRUE(at::equal(*computed, expected)) << threads << " threads";
    EXPECT_TRUE(at::equal(*stages(threads).images(first(200)), expected)) << "from the cache";
  }
}

TEST_F(FeaturesTest, APictureThatCannotBeDecodedIsNamed) {
  pictures_.broken = 130;
  try {
    (void)stages(3).images(first(200));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("dataset/pictures"));
    EXPECT_THAT(error.what(), testing::HasSubstr("p130 is cut off"));
  }
}

TEST_F(FeaturesTest, AStopInTheMiddleKeepsWhatIsDone) {
  stop_after_ = 1;
  EXPECT_FALSE(stages(2).images(first(200)));
  stop_after_ = 1000;
  pictures_.broken = 10;
  EXPECT_TRUE(stages(2).images(first(64))) << "the first batch was stored";
}

}  // namespace
}  // namespace espalier
