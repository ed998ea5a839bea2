#include "caption/caption_judge.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace espalier {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(CaptionJudge, LooksAtATextOnce) {
  CaptionJudge judge;
  judge.begin({"tiger lily", "rose"});
  EXPECT_THAT(judge.of("two roses beside a tiger lily").named, ElementsAre(0, 1));
  EXPECT_FALSE(judge.of("two roses beside a tiger lily").flagged);
  EXPECT_TRUE(judge.of("too short").flagged);
  EXPECT_EQ(judge.looked_at(), 2);
  judge.begin({"tiger lily", "rose"});
  EXPECT_TRUE(judge.of("too short").flagged);
  EXPECT_EQ(judge.looked_at(), 2);
}

TEST(CaptionJudge, LooksAgainWhereTheClassesAreOthers) {
  CaptionJudge judge;
  judge.begin({"tiger lily", "rose"});
  EXPECT_THAT(judge.of("a rose on a wide stone wall").named, ElementsAre(1));
  judge.begin({"rose", "stone wall"});
  EXPECT_THAT(judge.of("a rose on a wide stone wall").named, ElementsAre(0, 1));
  judge.begin({"lily"});
  EXPECT_THAT(judge.of("a rose on a wide stone wall").named, IsEmpty());
  EXPECT_EQ(judge.looked_at(), 3);
}

}  // namespace
}  // namespace espalier
