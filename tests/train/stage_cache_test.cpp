#include <espalier/train/stage_cache.hpp>

#include <gmock/gmock.h>
#include <spdlog/spdlog.h>

#include <atomic>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <future>
#include <thread>

namespace espalier {
namespace {

namespace fs = std::filesystem;
using Samples = std::vector<std::size_t>;

class StageCache : public testing::Test {
 protected:
  StageCache()
      : cache_(fs::path(testing::TempDir()) /
               testing::UnitTest::GetInstance()->current_test_info()->name()) {
    fs::remove_all(cache_);
  }
  ~StageCache() override { fs::remove_all(cache_); }

  [[nodiscard]] StageEntry open() const {
    return {cache_, "image_features", "key", *spdlog::default_logger()};
  }
  [[nodiscard]] fs::path part(int number) const {
    return cache_ / "image_features" / "key" / ("part-" + std::to_string(number) + ".safetensors");
  }

  static void add(StageEntry& entry, const Samples& samples, const std::vector<float>& rows) {
    const TensorView view{.name = "rows",
                          .dtype = DType::f32,
                          .shape = {static_cast<std::int64_t>(rows.size())},
                          .data = reinterpret_cast<const std::byte*>(rows.data()),
                          .bytes = rows.size() * sizeof(float)};
    entry.add(samples, std::span(&view, 1));
  }
  static float value(const StageEntry& entry, std::size_t sample) {
    const StageEntry::Place place = entry.find(sample);
    float out = 0;
    std::memcpy(&out, place.part->at("rows").data + place.row * sizeof out, sizeof out);
    return out;
  }

  fs::path cache_;
};

TEST_F(StageCache, KeepsRowsBySample) {
  StageEntry entry = open();
  EXPECT_THAT(entry.missing(Samples{4, 2, 4}), testing::ElementsAre(4, 2));
  add(entry, {4, 2}, {0.4F, 0.2F});
  add(entry, {9}, {0.9F});
  const StageEntry again = open();
  EXPECT_THAT(again.missing(Samples{2, 3, 4, 9}), testing::ElementsAre(3));
  EXPECT_EQ(value(again, 2), 0.2F);
  EXPECT_EQ(value(again, 4), 0.4F);
  EXPECT_EQ(value(again, 9), 0.9F);
}

TEST_F(StageCache, ADamagedPartIsMadeAgain) {
  {
    StageEntry entry = open();
    add(entry, {1, 2}, {0.1F, 0.2F});
    add(entry, {3}, {0.3F});
  }
  std::fstream file(part(0), std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(-1, std::ios::end);
  file.put('\x55');
  file.close();
  StageEntry entry = open();
  EXPECT_THAT(entry.missing(Samples{1, 2, 3}), testing::ElementsAre(1, 2));
  add(entry, {1, 2}, {0.1F, 0.2F});
  EXPECT_TRUE(open().missing(Samples{1, 2, 3}).empty());
}

TEST_F(StageCache, ATruncatedAndAForeignFileAreDamage) {
  {
    StageEntry entry = open();
    add(entry, {1}, {0.1F});
  }
  fs::resize_file(part(0), fs::file_size(part(0)) / 2);
  std::ofstream(part(7)) << "nonsense";
  EXPECT_THAT(open().missing(Samples{1}), testing::ElementsAre(1));
  EXPECT_FALSE(fs::exists(part(7)));
}

TEST_F(StageCache, OthersWaitAndThenFindTheRows) {
  StageEntry first = open();
  StageEntry second = open();
  std::atomic<bool> waited = false;
  std::future<bool> other;
  {
    const StageEntry::Lock lock(first, [] { return true; });
    ASSERT_TRUE(lock.held());
    other = std::async(std::launch::async, [&] {
      const StageEntry::Lock mine(second, [&] { return waited = true; });
      return mine.held() && second.missing(Samples{1}).empty();
    });
    while (!waited) std::this_thread::yield();
    add(first, {1}, {0.1F});
  }
  EXPECT_TRUE(other.get());
}

TEST_F(StageCache, AWaitCanBeGivenUp) {
  StageEntry first = open();
  StageEntry second = open();
  const StageEntry::Lock lock(first, [] { return true; });
  const StageEntry::Lock given_up(second, [] { return false; });
  EXPECT_FALSE(given_up.held());
}

}  // namespace
}  // namespace espalier
