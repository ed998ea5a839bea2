#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/dataset/python_random.hpp>

namespace espalier {
namespace {

using testing::ElementsAre;

// All expected values: CPython 3.11.
TEST(PythonRandomTest, DrawsCPythonsBits) {
  PythonRandom random(1);
  EXPECT_EQ(random.bits32(), 577090037U);
  EXPECT_EQ(random.bits32(), 2444712010U);
  EXPECT_EQ(random.bits32(), 3639700191U);
  EXPECT_EQ(random.bits32(), 3445702192U);
  EXPECT_EQ(random.bits32(), 3280387012U);
}

TEST(PythonRandomTest, TakesNegativeAndLongSeeds) {
  EXPECT_EQ(PythonRandom(-7).bits32(), 1390851128U);
  EXPECT_EQ(PythonRandom((std::int64_t{1} << 40) + 3).bits32(), 943978446U);
}

TEST(PythonRandomTest, SamplesFromAPoolAsCPythonDoes) {
  EXPECT_THAT(PythonRandom(0).sample(5, 5), ElementsAre(3, 4, 0, 1, 2));
  EXPECT_THAT(PythonRandom(1).sample(80, 16),
              ElementsAre(17, 72, 8, 32, 15, 63, 57, 60, 48, 26, 12, 62, 3, 49, 55, 0));
}

TEST(PythonRandomTest, SamplesByRejectionAsCPythonDoes) {
  EXPECT_THAT(PythonRandom(-7).sample(22, 2), ElementsAre(10, 4));
  EXPECT_THAT(PythonRandom(9).sample(86, 6), ElementsAre(59, 78, 47, 34, 17, 23));
  EXPECT_THAT(PythonRandom(2).sample(500, 16), ElementsAre(489, 441, 485, 434, 28, 46, 43, 184, 427,
                                                           86, 376, 414, 342, 437, 157, 128));
}

TEST(PythonRandomTest, ContinuesItsSequenceBetweenSamples) {
  PythonRandom random(1);
  EXPECT_THAT(random.sample(500, 1), ElementsAre(68));
  EXPECT_THAT(random.sample(500, 1), ElementsAre(291));
  EXPECT_THAT(random.sample(500, 1), ElementsAre(433));
  EXPECT_THAT(random.sample(500, 1), ElementsAre(410));
}

}  // namespace
}  // namespace espalier
