#include <espalier/caption/attribute_noise.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace espalier {
namespace {

constexpr std::string_view sentence =
    "A small red flower with five round petals, pale and striped.";

std::string noisy(AttributeError error, double rate, int sample) {
  Random random(sample, "noise");
  return AttributeNoise{error, rate}.in_text(sentence, random);
}

TEST(AttributeNoise, LeavesATextAloneAtNoRate) {
  for (const AttributeError error :
       {AttributeError::swap, AttributeError::drop, AttributeError::insert}) {
    EXPECT_EQ(noisy(error, 0, 1), sentence);
  }
}

TEST(AttributeNoise, DropsEveryValueAtRateOneAndLeavesParts) {
  EXPECT_EQ(noisy(AttributeError::drop, 1, 1), "A flower with petals, and .");
}

TEST(AttributeNoise, SwapsWithinTheKind) {
  const std::string swapped = noisy(AttributeError::swap, 1, 3);
  EXPECT_THAT(swapped, testing::StartsWith("A "));
  EXPECT_THAT(swapped, testing::HasSubstr("petals"));
  for (const char* word : {"small", "red", "five", "round ", "pale", "striped"}) {
    EXPECT_THAT(swapped, testing::Not(testing::HasSubstr(word)));
  }
}

TEST(AttributeNoise, InsertsBesideWhatIsThere) {
  const std::string inserted = noisy(AttributeError::insert, 1, 1);
  for (const char* word : {"small and ", "red and ", "five and "}) {
    EXPECT_THAT(inserted, testing::HasSubstr(word));
  }
}

// Words that differ, of texts in which each swap changes one word.
std::set<std::size_t> changed(const std::string& other) {
  std::set<std::size_t> places;
  std::size_t place = 0;
  std::string_view a = sentence, b = other;
  while (!a.empty() && !b.empty()) {
    const std::string_view first = a.substr(0, a.find(' ')), second = b.substr(0, b.find(' '));
    if (first != second) places.insert(place);
    ++place;
    a.remove_prefix(std::min(a.size(), first.size() + 1));
    b.remove_prefix(std::min(b.size(), second.size() + 1));
  }
  return places;
}

TEST(AttributeNoise, MistakesAtALowRateAreAmongThoseAtAHighOne) {
  std::size_t low_count = 0, high_count = 0;
  for (int sample = 0; sample < 500; ++sample) {
    const auto low = changed(noisy(AttributeError::swap, 0.1, sample));
    const auto high = changed(noisy(AttributeError::swap, 0.4, sample));
    EXPECT_TRUE(std::includes(high.begin(), high.end(), low.begin(), low.end()));
    low_count += low.size();
    high_count += high.size();
  }
  // 3000 words: five standard deviations are 5 sqrt(rate (1 - rate) / 3000) <= 0.045.
  EXPECT_NEAR(static_cast<double>(low_count) / 3000, 0.1, 0.045);
  EXPECT_NEAR(static_cast<double>(high_count) / 3000, 0.4, 0.045);
}

// SciPy: beta.ppf([.2, .5, .9], .2 / .5, .8 / .5).
TEST(ClusteredRate, IsAQuantileOfBeta) {
  EXPECT_NEAR(clustered_rate(0.2, 0.5, 0.2), 0.01005396, 1e-8);
  EXPECT_NEAR(clustered_rate(0.2, 0.5, 0.5), 0.10351349, 1e-8);
  EXPECT_NEAR(clustered_rate(0.2, 0.5, 0.9), 0.56839230, 1e-7);
  EXPECT_EQ(clustered_rate(0.2, 0, 0.9), 0.2);
  EXPECT_EQ(clustered_rate(0, 3, 0.9), 0);
  EXPECT_EQ(clustered_rate(1, 3, 0.9), 1);
  double sum = 0;
  for (int i = 0; i < 1000; ++i) {
    const double u = (i + 0.5) / 1000;
    sum += clustered_rate(0.2, 0.5, u);
    EXPECT_LE(clustered_rate(0.1, 0.5, u), clustered_rate(0.2, 0.5, u));
  }
  EXPECT_NEAR(sum / 1000, 0.2, 1e-3) << "the mean is the rate";
}

}  // namespace
}  // namespace espalier
