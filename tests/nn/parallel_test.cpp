#include <espalier/nn/parallel.hpp>

#include <gtest/gtest.h>

#include <ATen/Parallel.h>
#include <c10/core/GradMode.h>

#include <mutex>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include "libtorch_threads.hpp"

namespace espalier {
namespace {

class ParallelFor : public testing::Test {
 protected:
  void SetUp() override { testing_support::set_threads(2); }
  void TearDown() override { testing_support::set_threads(before_); }

 private:
  int before_ = at::get_num_threads();
};

TEST_F(ParallelFor, VisitsEachNumberOnce) {
  for (const std::int64_t end : {3, 4, 9, 100}) {
    std::vector<int> visits(static_cast<std::size_t>(end));
    parallel_for(3, end, 4, [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t i = from; i < to; ++i) ++visits[static_cast<std::size_t>(i)];
    });
    for (std::int64_t i = 0; i < end; ++i) EXPECT_EQ(visits[static_cast<std::size_t>(i)], i >= 3);
  }
}

TEST_F(ParallelFor, IsDoneByTwoThreads) {
  if (!testing_support::loops_have_threads) GTEST_SKIP() << "built without GCC's OpenMP";
  std::mutex mutex;
  std::set<std::thread::id> threads;
  parallel_for(0, 2, 1, [&](std::int64_t, std::int64_t) {
    const std::lock_guard lock(mutex);
    threads.insert(std::this_thread::get_id());
    EXPECT_TRUE(at::in_parallel_region());
  });
  EXPECT_EQ(threads.size(), 2u);
}

TEST_F(ParallelFor, LeavesOneThreadToEachOfThoseAlone) {
  if (!testing_support::loops_have_threads) GTEST_SKIP() << "built without GCC's OpenMP";
  for (const std::int64_t n : {0, 1, 2, 5}) {
    std::vector<int> visits(static_cast<std::size_t>(n));
    for_each_alone(n, [&](std::int64_t i) {
      EXPECT_TRUE(at::in_parallel_region()) << "else LibTorch would use both threads";
      EXPECT_FALSE(c10::GradMode::is_enabled());
      ++visits[static_cast<std::size_t>(i)];
    });
    EXPECT_EQ(visits, std::vector<int>(visits.size(), 1));
  }
  EXPECT_TRUE(c10::GradMode::is_enabled());
}

TEST_F(ParallelFor, ThrowsWhatThePiecesThrow) {
  if (!testing_support::loops_have_threads) GTEST_SKIP() << "built without GCC's OpenMP";
  const auto fail = [](std::int64_t from, std::int64_t) {
    if (from > 0) throw std::runtime_error("the second");
  };
  EXPECT_THROW(parallel_for(0, 2, 1, fail), std::runtime_error);
}

}  // namespace
}  // namespace espalier
