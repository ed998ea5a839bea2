#include "train/features.hpp"

#include <ATen/ops/equal.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <chrono>
#include <espalier/core/error.hpp>
#include <filesystem>
#include <limits>
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

// Features are the pixels, which are the picture.
class Copies final : public Encoder {
 public:
  std::int64_t image_width() const override { return 48; }
  std::int64_t text_width() const override { return 0; }
  at::Tensor pixels(const Image& image) const override {
    std::vector<float> row(image.rgb.begin(), image.rgb.end());
    return at::tensor(row);
  }
  at::Tensor encode_pixels(const at::Tensor& pixels) const override { return pixels; }
};

class FeaturesTest : public testing::Test {
 protected:
  ~FeaturesTest() override { fs::remove_all(cache_); }

  FeatureStages stages(std::int64_t threads) {
    FeatureInputs inputs;
    inputs.photos = &photos_;
    inputs.encoder = [] { return std::make_shared<Copies>(); };
    inputs.dataset_name = "dataset/pictures";
    inputs.encoder_name = "encoder/copies";
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
  std::shared_ptr<Pictures> pictures_ = std::make_shared<Pictures>(200);
  UnlabelledDataset photos_{pictures_};
  int asked_ = 0;
  int stop_after_ = 1000;
};

TEST_F(FeaturesTest, DecodingAheadChangesNoBit) {
  std::vector<Image> images;
  for (const std::size_t i : first(200)) images.push_back(pictures_->image(i));
  const at::Tensor expected = Copies().encode_images(images);
  for (const std::int64_t threads : {1, 2, 5}) {
    const auto computed = stages(threads).images(plain_looks(first(200)));
    ASSERT_TRUE(computed);
    EXPECT_TRUE(at::equal(computed->all(), expected)) << threads << " threads";
    EXPECT_TRUE(at::equal(stages(threads).images(plain_looks(first(200)))->all(), expected))
        << "from the cache";
  }
}

TEST_F(FeaturesTest, APictureThatCannotBeDecodedIsNamed) {
  pictures_->broken = 130;
  try {
    (void)stages(3).images(plain_looks(first(200)));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("dataset/pictures"));
    EXPECT_THAT(error.what(), testing::HasSubstr("p130 is cut off"));
  }
}

TEST_F(FeaturesTest, AStopInTheMiddleKeepsWhatIsDone) {
  stop_after_ = 1;
  EXPECT_FALSE(stages(2).images(plain_looks(first(200))));
  stop_after_ = 1000;
  pictures_->broken = 10;
  EXPECT_TRUE(stages(2).images(plain_looks(first(64)))) << "the first batch was stored";
}

}  // namespace
}  // namespace espalier
