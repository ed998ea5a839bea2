#include "train/text_probe.hpp"

#include <gtest/gtest.h>

#include "caption/caption_case.hpp"
#include <cmath>

namespace espalier {
namespace {

// scikit-learn's TfidfVectorizer and LogisticRegression on the same five parts: the same class for
// every caption, since both reach the one minimum and no two scores are near.
TEST(TextProbe, PredictsWhatScikitLearnDoes) {
  const testing_support::CaptionCase reference;
  const TextProbe probe = probe_texts(reference.texts, reference.labels, 4);
  EXPECT_EQ(probe.predicted, reference.json.at("predicted").get<std::vector<std::int64_t>>());
  EXPECT_DOUBLE_EQ(probe.accuracy, reference.json.at("accuracy").get<double>());
}

TEST(TextProbe, LearnsNothingOfNothing) {
  EXPECT_TRUE(std::isnan(probe_texts({}, {}, 3).accuracy));
  const std::vector<std::string> empty(6);
  const std::vector<std::int64_t> labels{0, 0, 0, 0, 1, 1};
  EXPECT_DOUBLE_EQ(probe_texts(empty, labels, 2).accuracy, 4.0 / 6) << "the commoner class";
}

}  // namespace
}  // namespace espalier
