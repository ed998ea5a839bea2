#include "review/review_scores.hpp"

#include <gtest/gtest.h>

#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>

#include "review_set.hpp"

namespace espalier {
namespace {

class StoredScores : public review_tests::DecisionFolder {};

TEST_F(StoredScores, ComeBackForTheSetThatTheyAreOf) {
  EXPECT_FALSE(scores_in(folder_, "sha256:aa").has_value());
  write_scores({.measure = "clip_score",
                .by = {{"use", "clip"}},
                .set = "sha256:aa",
                .scores = {{"roses/0.jpg", 0.25}, {"roses/2.jpg", -1.5}}},
               folder_);
  const auto kept = scores_in(folder_, "sha256:aa");
  ASSERT_TRUE(kept.has_value());
  EXPECT_EQ(kept->measure, "clip_score");
  EXPECT_EQ(kept->by.at("use"), "clip");
  auto items = review_tests::items_of(review_tests::plain_texts(3));
  add_scores(*kept, items);
  EXPECT_EQ(items[0].score, 0.25);
  EXPECT_FALSE(items[1].score.has_value());
  EXPECT_EQ(items[2].score, -1.5);
  EXPECT_FALSE(scores_in(folder_, "sha256:bb").has_value());
}

TEST_F(StoredScores, AreRefusedWhereTheyAreNone) {
  for (const char* text : {"", "[]", "{}", R"({"measure": 1, "set": "x", "scores": {}})",
                           R"({"measure": "m", "set": "x", "scores": []})",
                           R"({"measure": "m", "set": "x", "scores": {"a": "low"}})",
                           R"({"measure": "m", "set": "x", "scores": {"a": 1e999}})"}) {
    EXPECT_THROW(static_cast<void>(read_scores(text, "test")), Error) << text;
  }
}

}  // namespace
}  // namespace espalier
