#include <espalier/dataset/batch_loader.hpp>

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <numeric>
#include <stdexcept>

namespace espalier {
namespace {

// Everything that a loader delivers, each item a number that is made from its index.
std::vector<std::int64_t> drain(std::int64_t count, const LoaderOptions& options) {
  std::vector<std::int64_t> rows(static_cast<std::size_t>(BatchLoader::rows(options)), -1);
  BatchLoader loader(count, options, [&](std::int64_t index, std::int64_t row) {
    std::this_thread::sleep_for(std::chrono::microseconds(index * 37 % 200));
    rows[static_cast<std::size_t>(row)] = index * index;
  });
  std::vector<std::int64_t> seen;
  while (const auto batch = loader.next()) {
    EXPECT_EQ(batch->first, std::ssize(seen));
    for (std::int64_t i = 0; i < batch->count; ++i) {
      seen.push_back(rows[static_cast<std::size_t>(batch->row + i)]);
    }
  }
  EXPECT_FALSE(loader.next());
  return seen;
}

TEST(BatchLoader, DeliversEveryItemInOrderWhateverTheThreads) {
  for (const std::int64_t count : {0, 1, 7, 8, 9, 100}) {
    std::vector<std::int64_t> expected;
    for (std::int64_t i = 0; i < count; ++i) expected.push_back(i * i);
    for (const std::int64_t threads : {1, 2, 5}) {
      for (const std::int64_t ahead : {2, 3}) {
        EXPECT_EQ(drain(count, {.batch = 8, .threads = threads, .ahead = ahead}), expected);
      }
    }
  }
}

TEST(BatchLoader, WorksAheadAndNoFurther) {
  std::atomic<std::int64_t> begun{0};
  BatchLoader loader(1000, {.batch = 4, .threads = 3, .ahead = 3},
                     [&](std::int64_t, std::int64_t) { ++begun; });
  const auto wait_for = [&](std::int64_t goal) {
    for (int i = 0; i < 2000 && begun < goal; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    EXPECT_EQ(begun, goal);
  };
  wait_for(12);
  ASSERT_TRUE(loader.next());
  wait_for(12);  // the first batch is in use
  ASSERT_TRUE(loader.next());
  wait_for(16);
}

TEST(BatchLoader, RethrowsTheFirstFailureOfABatch) {
  const LoaderOptions options{.batch = 4, .threads = 3, .ahead = 2};
  BatchLoader loader(12, options, [](std::int64_t index, std::int64_t) {
    if (index == 6 || index == 7) throw std::runtime_error("item " + std::to_string(index));
  });
  EXPECT_TRUE(loader.next());
  try {
    (void)loader.next();
    FAIL() << "nothing was thrown";
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "item 6");
  }
  EXPECT_TRUE(loader.next());
  EXPECT_FALSE(loader.next());
}

TEST(BatchLoader, MayBeLeftEarly) {
  std::vector<int> rows(64);
  const LoaderOptions options{.batch = 16, .threads = 4, .ahead = 4};
  BatchLoader loader(100000, options, [&](std::int64_t, std::int64_t row) {
    rows[static_cast<std::size_t>(row)] = 1;
  });
  EXPECT_TRUE(loader.next());
}

}  // namespace
}  // namespace espalier
