#include "pefts/unilora/numpy_random.hpp"

#include <gmock/gmock.h>

#include <numeric>
#include <span>

namespace espalier {
namespace {

using testing::ElementsAre;

// numpy.random.default_rng(42) of NumPy 2.4.
TEST(NumpyRandom, ShufflesAsNumpyDoes) {
  NumpyRandom random(42);
  std::vector<std::int64_t> values(12);
  std::iota(values.begin(), values.end(), 0);
  random.shuffle(values);
  EXPECT_THAT(values, ElementsAre(0, 7, 6, 9, 11, 3, 5, 2, 4, 10, 1, 8));
}

TEST(NumpyRandom, ChoosesAsNumpyDoes) {
  EXPECT_THAT(NumpyRandom(42).choice(20, 7), ElementsAre(19, 16, 7, 10, 1, 11, 17));
  const std::vector<std::int64_t> many = NumpyRandom(42).choice(20'000, 1'000);
  ASSERT_EQ(many.size(), 1'000U);
  EXPECT_THAT(std::vector(many.begin(), many.begin() + 4), ElementsAre(9742, 18275, 6853, 10003));
}

}  // namespace
}  // namespace espalier
