#include <espalier/core/random.hpp>

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace espalier {
namespace {

// The reference C code of Blackman and Vigna, seeded by SplitMix64 from 0, gives these words.
TEST(Random, FollowsXoshiro256StarStar) {
  Random random(std::uint64_t{0});
  EXPECT_EQ(random.bits(), 0x99ec5f36cb75f2b4u);
  EXPECT_EQ(random.bits(), 0xbf6e1f784956452au);
}

TEST(Random, StreamsOfOneSeedDiffer) {
  EXPECT_NE(stream_seed(1, "split"), stream_seed(1, "init"));
  EXPECT_NE(stream_seed(1, "split"), stream_seed(2, "split"));
  EXPECT_EQ(Random(3, "order").bits(), Random(3, "order").bits());
}

TEST(Random, BelowIsUnbiasedOverASmallRange) {
  Random random(std::uint64_t{5});
  std::vector<int> counts(3);
  for (int i = 0; i < 30000; ++i) ++counts[random.below(3)];
  // Standard deviation of a count is 82; five of them.
  for (const int count : counts) EXPECT_NEAR(count, 10000, 410);
}

TEST(Random, NormalHasMeanZeroAndVarianceOne) {
  Random random(std::uint64_t{9});
  double sum = 0;
  double squares = 0;
  constexpr int n = 40000;
  for (int i = 0; i < n; ++i) {
    const double value = random.normal();
    ASSERT_TRUE(std::isfinite(value));
    sum += value;
    squares += value * value;
  }
  EXPECT_NEAR(sum / n, 0.0, 5.0 / std::sqrt(n));
  EXPECT_NEAR(squares / n, 1.0, 5.0 * std::sqrt(2.0 / n));
}

TEST(Random, ShuffleKeepsEveryItem) {
  std::vector<int> items(50);
  std::iota(items.begin(), items.end(), 0);
  Random(std::uint64_t{1}).shuffle(std::span(items));
  EXPECT_FALSE(std::is_sorted(items.begin(), items.end()));
  std::sort(items.begin(), items.end());
  for (int i = 0; i < 50; ++i) EXPECT_EQ(items[static_cast<std::size_t>(i)], i);
}

}  // namespace
}  // namespace espalier
