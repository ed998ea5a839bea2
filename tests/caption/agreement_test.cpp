// By hand.
#include <espalier/caption/agreement.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace espalier {
namespace {

using testing::ElementsAre;

TEST(ClassAgreement, CountsCaptionsWithTheWordOfTheirClass) {
  const std::vector<std::string> texts{"a Red flower", "red or blue", "blue",
                                       "five petals",  "a gray cat",  "grey"};
  const std::vector<std::int64_t> labels{0, 0, 0, 0, 1, 1};
  const std::vector<GroupAgreement> groups = class_agreement(texts, labels);
  ASSERT_EQ(groups[0].group, "colour");
  EXPECT_EQ(groups[0].captions, 5);
  EXPECT_DOUBLE_EQ(groups[0].agreement, 4.0 / 5) << "2 of 3 say red, 2 of 2 grey";
  EXPECT_EQ(groups[1].group, "number");
  EXPECT_EQ(groups[1].captions, 1);
  EXPECT_EQ(groups[2].captions, 0);
  EXPECT_TRUE(std::isnan(groups[2].agreement));
}

class Colours final : public Wording {
 public:
  [[nodiscard]] std::int64_t count() const override { return 1; }
  [[nodiscard]] std::string describe(const Json&, std::int64_t) const override { return {}; }
  [[nodiscard]] std::vector<std::string> alternatives(std::string_view attribute,
                                                      std::string_view value) const override {
    if (attribute != "colour") return {};
    std::vector<std::string> all{"pale red", "red", "blue"};
    std::erase(all, std::string(value));
    return all;
  }
};

TEST(FactAgreement, CountsWhatIsTrueSaidAndInvented) {
  const std::vector<std::string> texts{"a pale red flower", "blue and red", "a flower"};
  const std::vector<Json> facts{
      {{"colour", "pale red"}, {"hidden", "x"}}, {{"colour", "red"}}, {{"colour", "blue"}}};
  const FactAgreement result = fact_agreement(texts, facts, Colours());
  EXPECT_THAT(result.attributes, ElementsAre("colour"));
  EXPECT_EQ(result.mentions, 3) << "pale red; red, and blue, which is not there";
  EXPECT_DOUBLE_EQ(result.precision, 2.0 / 3);
  EXPECT_DOUBLE_EQ(result.recall, 2.0 / 3);
  EXPECT_DOUBLE_EQ(result.hallucinating, 1.0 / 3);
}

TEST(SelfConsistency, IsTheMeanOverPairs) {
  const std::vector<std::vector<std::string>> samples{
      {"red round", "red", "red round"},  // 1/2, 1, 1/2
      {"nothing", "at all"},              // no words to compare
      {"blue", "nothing"}};               // 0
  EXPECT_DOUBLE_EQ(self_consistency(samples), (0.5 + 1 + 0.5 + 0) / 4);
  EXPECT_TRUE(std::isnan(self_consistency({})));
}

}  // namespace
}  // namespace espalier
