#include <espalier/caption/rules.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "caption/caption_case.hpp"

namespace espalier {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::vector<std::string> names_of(const RuleSet& broken) {
  std::vector<std::string> names;
  for (const CaptionRuleInfo& info : caption_rules()) {
    if (broken.has(info.rule)) names.emplace_back(info.name);
  }
  return names;
}

std::vector<std::string> broken_by(std::string_view text, CaptionEnd end = CaptionEnd::whole) {
  const std::vector<std::string> classes{"rose"};
  return names_of(broken_rules({text, end}, ClassNames(classes)));
}

// Every rule on every caption, as Python's regular expressions, sets and zlib find them.
TEST(CaptionRules, EqualPythons) {
  const testing_support::CaptionCase reference;
  std::vector<RuledCaption> captions;
  for (const std::string& text : reference.texts) captions.push_back({.text = text});
  const SetRules rules = broken_rules(captions, reference.names);
  for (std::size_t i = 0; i < captions.size(); ++i) {
    EXPECT_EQ(names_of(rules.broken[i]),
              reference.json.at("rules")[i].get<std::vector<std::string>>())
        << reference.texts[i];
  }
}

TEST(CaptionRules, HaveTheNamesByWhichTheyAreFound) {
  for (std::size_t i = 0; i < caption_rules().size(); ++i) {
    const CaptionRuleInfo& info = caption_rules()[i];
    EXPECT_EQ(static_cast<std::size_t>(info.rule), i);
    EXPECT_EQ(find_caption_rule(info.name), &info);
  }
  EXPECT_EQ(find_caption_rule("no_such_rule"), nullptr);
}

TEST(CaptionRules, LookAtHowTheAnswerEnded) {
  EXPECT_THAT(broken_by("a red flower before a", CaptionEnd::truncated),
              ElementsAre("truncated", "unfinished"));
  EXPECT_THAT(broken_by("a red flower before a wall.", CaptionEnd::truncated),
              ElementsAre("truncated"));
  EXPECT_THAT(broken_by("", CaptionEnd::refused), ElementsAre("empty", "refused"));
  EXPECT_THAT(broken_by("the petals seem red to me", CaptionEnd::thinking),
              ElementsAre("thinking"));
  EXPECT_THAT(broken_by("a red flower before a wall"), IsEmpty());
}

TEST(CaptionRules, CountTokensAsTheyAreTold) {
  const std::vector<std::string> classes{"rose"};
  const auto many = [](const std::string&) { return std::int64_t{78}; };
  EXPECT_THAT(names_of(broken_rules({"a red flower before a wall"}, ClassNames(classes), many)),
              ElementsAre("too_long"));
}

TEST(CaptionRules, FlagWhatIsNoCaptionAndNotWhatNamesAClass) {
  RuleSet broken;
  for (const CaptionRule rule : {CaptionRule::names_class, CaptionRule::boilerplate,
                                 CaptionRule::duplicate, CaptionRule::near_duplicate}) {
    broken.add(rule);
  }
  EXPECT_FALSE(is_flagged(broken));
  broken.add(CaptionRule::markup);
  EXPECT_TRUE(is_flagged(broken));
}

TEST(CaptionRules, TakeAnything) {
  std::string endless(std::size_t{1} << 20, 'a');
  EXPECT_THAT(broken_by(endless), ElementsAre("too_short", "repetition"));
  EXPECT_THAT(broken_by("\xff\xfe not utf-8"), ElementsAre("too_short", "markup"));
  EXPECT_THAT(broken_by("<script>alert(1)</script> five words are here"), ElementsAre("markup"));
}

// All captions but the last share one run; that must not make pairs of all.
TEST(CaptionRules, FindTwinsInASetOfThousands) {
  std::vector<std::string> texts;
  for (int i = 0; i < 3000; ++i) {
    const std::string n = std::to_string(i);
    texts.push_back("a photo of flower" + n + " in field" + n + " by road" + n);
  }
  texts.push_back(texts[7] + "!");
  const std::vector<std::string> classes{"rose"};
  std::vector<RuledCaption> captions;
  for (const std::string& text : texts) captions.push_back({.text = text});
  const SetRules rules = broken_rules(captions, ClassNames(classes));
  EXPECT_EQ(rules.twin[7], 3000);
  EXPECT_EQ(rules.twin[3000], 7);
  EXPECT_EQ(rules.twin[8], -1);
}

}  // namespace
}  // namespace espalier
