#include <espalier/core/predicate.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <string>

namespace espalier {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const Json& sample() {
  static const Json config{{"gnn", {{"use", "gat"}, {"heads", 4}}},
                           {"graph", {{"tau", 0.5}, {"weighted", true}}},
                           {"seed", 3},
                           {"rank", 8},
                           {"alpha", 16.0}};
  return config;
}

const Json* find(std::string_view key) {
  const Json* at = &sample();
  while (!key.empty()) {
    const std::string part(key.substr(0, key.find('.')));
    if (!at->is_object() || !at->contains(part)) return nullptr;
    at = &at->at(part);
    key.remove_prefix(std::min(key.size(), part.size() + 1));
  }
  return at;
}

bool holds(std::string_view text) {
  return Predicate::parse(text, "test")
      .holds({.value = find, .has = [](std::string_view kind, std::string_view capability) {
                return kind == "gnn" && capability == "graph";
              }});
}

std::string predicate_error(std::string_view text) {
  try {
    (void)holds(text);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(Predicate, ComparesValuesUnderKeys) {
  EXPECT_TRUE(holds("graph.tau == 0.5"));
  EXPECT_TRUE(holds("graph.tau <= 5e-1 and graph.tau >= .5"));
  EXPECT_FALSE(holds("graph.tau != 0.5"));
  EXPECT_TRUE(holds("seed == 3.0"));
  EXPECT_TRUE(holds("seed>2 and seed<4"));
  EXPECT_TRUE(holds("graph.weighted"));
  EXPECT_TRUE(holds("graph.weighted == true"));
}

TEST(Predicate, ReadsASectionAsItsComponent) {
  EXPECT_TRUE(holds("gnn == 'gat'"));
  EXPECT_TRUE(holds("gnn == \"gat\""));
  EXPECT_TRUE(holds("gnn == gat"));
  EXPECT_TRUE(holds("gnn.use == gat"));
  EXPECT_FALSE(holds("gnn == gcn"));
}

TEST(Predicate, SaysWhatIsWrongWithTextThatIsNoUtf8) {
  const Predicate predicate = Predicate::parse("'\xff\xff' * 2 == 1", "a test");
  EXPECT_THROW((void)predicate.holds({}), Error);
}

TEST(Predicate, KnowsMembership) {
  EXPECT_TRUE(holds("gnn in [gcn, gat]"));
  EXPECT_FALSE(holds("gnn in []"));
  EXPECT_TRUE(holds("gnn not in [gcn]"));
  EXPECT_TRUE(holds("not gnn in [gcn]"));
  EXPECT_TRUE(holds("seed in [1, 3]"));
}

TEST(Predicate, BindsAsPythonDoes) {
  EXPECT_TRUE(holds("true or false and false"));
  EXPECT_FALSE(holds("(true or false) and false"));
  EXPECT_TRUE(holds("not false and true"));
  EXPECT_FALSE(holds("not (false or true)"));
  EXPECT_TRUE(holds("1 + 2 * 3 == 7"));
  EXPECT_TRUE(holds("(1 + 2) * 3 == 9"));
  EXPECT_TRUE(holds("8 - 4 - 2 == 2"));
  EXPECT_TRUE(holds("7 % 4 / 2 == 1.5"));
  EXPECT_TRUE(holds("-1 < 0 and 2 - -1 == 3"));
  EXPECT_TRUE(holds("alpha <= 4 * rank"));
}

TEST(Predicate, AsksForCapabilities) {
  EXPECT_TRUE(holds("has(gnn, graph)"));
  EXPECT_FALSE(holds("has( encoder , text )"));
  EXPECT_TRUE(holds("not has(gnn, bipartite) or seed == 0"));
}

TEST(Predicate, TreatsWhatIsNotThereAsNull) {
  EXPECT_TRUE(holds("gnn.layer == null"));
  EXPECT_FALSE(holds("gnn.layer"));
  EXPECT_FALSE(holds("gnn.layer > 4"));
  EXPECT_FALSE(holds("gnn.layer + 1 < 4"));
  EXPECT_FALSE(holds("gnn.layer == gcn"));
  EXPECT_TRUE(holds("gnn.layer != gcn"));
}

TEST(Predicate, ListsWhatItReads) {
  const auto predicate = Predicate::parse("gnn == gat and has(gnn, graph) and b.c + b.c > 1", "t");
  EXPECT_THAT(predicate.words(), ElementsAre("b.c", "gat", "gnn"));
  ASSERT_EQ(predicate.capabilities().size(), 1u);
  EXPECT_EQ(predicate.capabilities()[0].kind, "gnn");
  EXPECT_EQ(predicate.capabilities()[0].capability, "graph");
  EXPECT_TRUE(holds("orange != inner"));  // words that begin like operators
}

TEST(Predicate, ListsWhatItCompares) {
  const auto predicate = Predicate::parse("a in [b, 'c', 1 + d] or not e or f + g < 2 * h", "t");
  EXPECT_THAT(predicate.bare_words(), ElementsAre("d", "e", "f", "g", "h"));
  const std::vector<Comparison> found = predicate.comparisons();
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0].left.word, "a");
  EXPECT_EQ(found[0].right.word, "b");
  EXPECT_EQ(found[1].right.type, Operand::Type::literal);
  EXPECT_EQ(found[1].right.value, "c");
  EXPECT_EQ(found[2].right.type, Operand::Type::computed);
  EXPECT_EQ(found[3].left.type, Operand::Type::computed);
}

TEST(Predicate, RefusesNumbersThatHaveNoNameOfTheirOwn) {
  EXPECT_THAT(predicate_error("seed == 9007199254740993"), HasSubstr("a whole number below 2^53"));
  EXPECT_FALSE(holds("seed == 9007199254740991"));
}

TEST(Predicate, SaysWhereItCannotBeRead) {
  EXPECT_THAT(predicate_error("graph.tau = 3"), HasSubstr("\"= 3\" at column 11"));
  EXPECT_THAT(predicate_error("graph.tau =="), HasSubstr("the end at column 13"));
  EXPECT_THAT(predicate_error("(seed"), HasSubstr("expected: \")\""));
  EXPECT_THAT(predicate_error("'open"), HasSubstr("closing quotation mark"));
  EXPECT_THAT(predicate_error("[1, 2"), HasSubstr("expected"));
  EXPECT_THAT(predicate_error("[1 2]"), HasSubstr("expected"));
  EXPECT_THAT(predicate_error("seed and"), HasSubstr("a value"));
  EXPECT_THAT(predicate_error("and"), HasSubstr("a value"));
  EXPECT_THAT(predicate_error(""), HasSubstr("a value"));
  EXPECT_THAT(predicate_error("has(gnn)"), HasSubstr("expected"));
  EXPECT_THAT(predicate_error("1 < 2 < 3"), HasSubstr("column 7"));
  EXPECT_THAT(predicate_error("seed == 1;"), HasSubstr("column 10"));
}

TEST(Predicate, RefusesOperandsThatDoNotFit) {
  EXPECT_THAT(predicate_error("'a' < 3"), HasSubstr("two numbers or two texts"));
  EXPECT_THAT(predicate_error("'a' + 3 == 1"), HasSubstr("two numbers"));
  EXPECT_THAT(predicate_error("seed in 3"), HasSubstr("a list"));
  EXPECT_THAT(predicate_error("seed"), HasSubstr("true or false"));
  EXPECT_THAT(predicate_error("seed and true"), HasSubstr("in: seed and true"));
}

TEST(Predicate, IsSafeFromHostileText) {
  EXPECT_THAT(predicate_error(std::string(10000, '(')), HasSubstr("100 levels"));
  EXPECT_THAT(predicate_error(std::string(10000, '[')), HasSubstr("100 levels"));
  EXPECT_THAT(predicate_error(std::string(10000, '-') + "1"), HasSubstr("100 levels"));
  EXPECT_THAT(predicate_error(std::string(100000, ' ')), HasSubstr("16 KiB"));
  std::string nots;
  for (int i = 0; i < 3000; ++i) nots += "not ";
  EXPECT_TRUE(holds(nots + "true"));
}

}  // namespace
}  // namespace espalier
