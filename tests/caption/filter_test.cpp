#include <espalier/caption/filter.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace espalier {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

RuleSet breaking(std::initializer_list<CaptionRule> rules) {
  RuleSet broken;
  for (const CaptionRule rule : rules) broken.add(rule);
  return broken;
}

const RuleSet fine;
const RuleSet brief = breaking({CaptionRule::too_short});
const RuleSet taking_both = breaking({CaptionRule::too_short, CaptionRule::markup});

TEST(FilterCaptions, LetsGoWhoBreaksARuleThatIsAskedFor) {
  const std::vector<RatedCaption> captions{
      {0, true, fine, 1}, {0, true, brief, 1}, {1, true, fine, 1}, {1, true, taking_both, 1}};
  EXPECT_THAT(filter_captions(captions, {.rules = {CaptionRule::too_short}}).gone,
              ElementsAre(1, 3));
  EXPECT_THAT(filter_captions(captions, {.rules = {CaptionRule::markup}}).gone, ElementsAre(3));
  EXPECT_THAT(filter_captions(captions, {.rules = {CaptionRule::meta}}).gone, IsEmpty());
}

// A quarter of all would be the whole of class 1.
TEST(FilterCaptions, TakesTheLowestOfEachClass) {
  std::vector<RatedCaption> captions;
  for (int i = 0; i < 8; ++i)
    captions.push_back({i % 2, true, fine, i % 2 == 0 ? 5.0 + i : 0.1 * i});
  EXPECT_THAT(filter_captions(captions, {.rules = {}, .lowest = 0.25}).gone, ElementsAre(0, 1));
  EXPECT_THAT(filter_captions(captions, {.rules = {}, .lowest = 0.24}).gone, IsEmpty());
  captions[0].score = NAN;
  EXPECT_THAT(filter_captions(captions, {.rules = {}, .lowest = 0.34}).gone, ElementsAre(1, 2));
}

TEST(FilterCaptions, LeavesAClassOneText) {
  const std::vector<RatedCaption> captions{{0, true, taking_both, 9},
                                           {0, true, brief, 1},
                                           {0, true, brief, 2},
                                           {0, false, fine, NAN},
                                           {1, false, brief, NAN}};
  const FilterWish wish{.rules = {CaptionRule::too_short, CaptionRule::markup}};
  const FilterOutcome outcome = filter_captions(captions, wish);
  EXPECT_THAT(outcome.gone, ElementsAre(0, 1, 4)) << "class 1 had no text to lose";
  EXPECT_THAT(outcome.saved, ElementsAre(2)) << "fewest rules, then the best score";
  EXPECT_THAT(filter_captions(captions, wish, false).gone, ElementsAre(0, 1, 2, 4));
}

}  // namespace
}  // namespace espalier
