#include "encoders/classical/word_features.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace espalier {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(Words, AreLowerCaseRunsOfLettersMarksAndDigits) {
  EXPECT_THAT(words_of("A Pale-Red flower, 12 petals."),
              ElementsAre("a", "pale", "red", "flower", "12", "petals"));
  EXPECT_THAT(words_of("\xc3\x89t\xc3\xa9 \xe8\x8a\xb1"),
              ElementsAre("\xc3\xa9t\xc3\xa9", "\xe8\x8a\xb1"));
  EXPECT_THAT(words_of("ok\xff\xfe"
                       "ay\xc3"),
              ElementsAre("ok", "ay"));
  EXPECT_THAT(words_of(" .!\n"), IsEmpty());
}

std::vector<double> magnitudes(const WordFeatures& features, std::string_view text) {
  std::vector<double> found;
  for (const float value : features.transform(text)) {
    if (value != 0) found.push_back(std::abs(value));
  }
  std::sort(found.begin(), found.end());
  return found;
}

double cosine(const WordFeatures& features, std::string_view a, std::string_view b) {
  const auto x = features.transform(a), y = features.transform(b);
  double sum = 0;
  for (std::size_t i = 0; i < x.size(); ++i) sum += static_cast<double>(x[i]) * y[i];
  return sum;
}

// Of three texts `red` is in all (idf 1) and `oak` in one (idf ln(4/2) + 1).
TEST(WordFeatures, WeighsRareWordsMore) {
  WordFeatures features(65536, 1);
  const std::vector<std::string> texts = {"red rose", "red tulip", "red oak"};
  features.fit(texts);
  const double rare = std::log(2.0) + 1;
  const double length = std::sqrt(1 + rare * rare);
  const auto found = magnitudes(features, "oak red");
  ASSERT_EQ(found.size(), 2u);
  EXPECT_NEAR(found[0], 1 / length, 1e-6);
  EXPECT_NEAR(found[1], rare / length, 1e-6);
}

TEST(WordFeatures, CountsRunsOfWords) {
  EXPECT_EQ(magnitudes(WordFeatures(65536, 1), "a b c a").size(), 3u);  // a b c
  EXPECT_EQ(magnitudes(WordFeatures(65536, 2), "a b c a").size(), 6u);  // and ab bc ca
  EXPECT_EQ(magnitudes(WordFeatures(65536, 3), "a b c a").size(), 8u);  // and abc bca
}

TEST(WordFeatures, ATextIsLikeItselfAndUnlikeOthers) {
  const WordFeatures features(1024, 2);
  EXPECT_NEAR(cosine(features, "a pale red flower", "A pale red flower!"), 1, 1e-6);
  EXPECT_GT(cosine(features, "a pale red flower", "a pale red tulip"), 0.4);
  EXPECT_NEAR(cosine(features, "a pale red flower", "two blue birds sing"), 0, 0.3);
}

TEST(WordFeatures, ATextWithoutWordsIsZero) {
  EXPECT_THAT(magnitudes(WordFeatures(64, 2), "?!"), IsEmpty());
}

}  // namespace
}  // namespace espalier
