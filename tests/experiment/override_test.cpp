// The rules of Hydra's override grammar, and what Espalier makes of them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "experiment/support.hpp"

namespace espalier {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing_support::base_text;
using testing_support::states;

class OverrideTest : public testing_support::Experiment {
 protected:
  // The value that `train.x=TEXT` sets.
  Json value(const std::string& text) const {
    return source(base_text, {"train.x=" + text}).base.at("train").at("x");
  }
  // The values of the axis that `train.x=TEXT` makes.
  Json axis(const std::string& text) const {
    const ExperimentSource read = source(base_text, {"train.x=" + text});
    EXPECT_EQ(read.blocks.size(), 1u);
    EXPECT_EQ(read.blocks[0].grid.at(0).key, "train.x");
    return read.blocks[0].grid.at(0).values;
  }
  std::string mistake(const std::string& text) const { return message(base_text, {text}); }
};

TEST_F(OverrideTest, ReadsPrimitives) {
  EXPECT_EQ(value("1"), 1);
  EXPECT_EQ(value("-1_000"), -1000);
  EXPECT_EQ(value("1e-3"), 0.001);
  EXPECT_EQ(value(".5"), 0.5);
  EXPECT_EQ(value("true"), true);
  EXPECT_EQ(value("FALSE"), false);
  EXPECT_EQ(value("null"), nullptr);
  EXPECT_EQ(value(""), "");
  EXPECT_EQ(value("/a/b-c.d:e@f%g?h+i"), "/a/b-c.d:e@f%g?h+i");
  EXPECT_EQ(value("two words"), "two words");
  EXPECT_EQ(value("a=b"), "a=b");
  EXPECT_EQ(value("9007199254740993"), 9007199254740993);
}

TEST_F(OverrideTest, ReadsQuotesAndEscapes) {
  EXPECT_EQ(value("'1'"), "1");
  EXPECT_EQ(value("\"a,b\""), "a,b");
  EXPECT_EQ(value("'it\\'s'"), "it's");
  EXPECT_EQ(value("'a\\\\b'"), "a\\b");
  EXPECT_EQ(value("\"it's\""), "it's");
  EXPECT_EQ(value("'range(1,3)'"), "range(1,3)");
  EXPECT_EQ(value("a\\,b"), "a,b");
  EXPECT_EQ(value("x\\(1\\)"), "x(1)");
}

TEST_F(OverrideTest, ReadsListsAndDictionaries) {
  EXPECT_EQ(value("[]"), Json::array());
  EXPECT_EQ(value("[1, 'a', [true]]"), (Json{1, "a", {true}}));
  EXPECT_EQ(value("{}"), Json::object());
  EXPECT_EQ(value("{a: 1, 'b c': {d: [2]}}"), (Json{{"a", 1}, {"b c", {{"d", {2}}}}}));
}

TEST_F(OverrideTest, MakesAnAxisOfSeveralValues) {
  EXPECT_EQ(axis("1,2"), (Json{1, 2}));
  EXPECT_EQ(axis("a, 'b,c' ,3"), (Json{"a", "b,c", 3}));
  EXPECT_EQ(axis("[1,2],[3]"), (Json{{1, 2}, Json::array({3})}));
  EXPECT_EQ(axis("choice(a,b)"), (Json{"a", "b"}));
  EXPECT_EQ(axis("choice(a)"), Json::array({"a"}));
  EXPECT_EQ(axis("7,range(1,3)"), (Json{7, 1, 2}));
}

TEST_F(OverrideTest, RangesAreHalfOpenAndDoNotDrift) {
  EXPECT_EQ(axis("range(3)"), (Json{0, 1, 2}));
  EXPECT_EQ(axis("range(1,4)"), (Json{1, 2, 3}));
  EXPECT_EQ(axis("range(5,0,-2)"), (Json{5, 3, 1}));
  EXPECT_EQ(axis("range(start=1,stop=3)"), (Json{1, 2}));
  EXPECT_EQ(axis("range(1,step=2,stop=6)"), (Json{1, 3, 5}));
  EXPECT_EQ(axis("range(0,0.5,0.1)"), (Json{0.0, 0.1, 0.2, 0.3, 0.4}));  // not 0.30000000000000004
  EXPECT_EQ(axis("range(0.7,1,0.1)"), (Json{0.7, 0.8, 0.9}));
  EXPECT_EQ(axis("range(0,1e-5,5e-6)"), (Json{0.0, 5e-6}));
  EXPECT_EQ(axis("range(0,1,0.333333333333333333)").size(), 3u);
}

TEST_F(OverrideTest, ReplacesAxesInEveryBlock) {
  const std::string text = base_text +
                           "sweep:\n  - grid: {graph.tau: [0.1, 0.2], seed: [1, 2]}\n"
                           "  - zip: {graph.tau: [0.1, 0.2], gnn.hops: [1, 2]}\n";
  const ExperimentSource swept = source(text, {"graph.tau=0.5,0.6,0.7"});
  EXPECT_EQ(swept.blocks[0].grid[0].values.size(), 3u);
  EXPECT_EQ(swept.blocks[0].grid[1].key, "seed");
  EXPECT_EQ(swept.blocks[1].grid[0].key, "graph.tau");
  EXPECT_EQ(swept.blocks[1].zips[0].size(), 1u);  // the axis left its zip

  const ExperimentSource fixed = source(text, {"graph.tau=0.5"});
  EXPECT_EQ(fixed.blocks[0].grid.size(), 1u);
  EXPECT_EQ(fixed.blocks[1].zips[0].size(), 1u);
  EXPECT_EQ(fixed.base["graph"]["tau"], 0.5);

  EXPECT_EQ(source(text, {"graph.tau=0.5", "graph.tau=0.6,0.7"}).blocks[0].grid.size(), 2u);
}

TEST_F(OverrideTest, ANameChoosesAComponent) {
  EXPECT_EQ(source(base_text, {"gnn=gin"}).base["gnn"], (Json{{"use", "gin"}}));
  EXPECT_EQ(source(base_text, {"graph=knn"}).base["graph"], (Json{{"use", "knn"}, {"tau", 0.7}}));
  EXPECT_EQ(source(base_text, {"gnn={use: gin, eps: 1}"}).base["gnn"],
            (Json{{"use", "gin"}, {"eps", 1}}));
  EXPECT_EQ(source(base_text, {"gnn=gin,gcn"}).blocks[0].grid[0].key, "gnn.use");
  EXPECT_EQ(source(base_text, {"+gnn.layer=gcn", "gnn.layer.hops=3"}).base["gnn"]["layer"],
            (Json{{"use", "gcn"}, {"hops", 3}}));
}

TEST_F(OverrideTest, ANameTakesTheAxisOfWholeSectionsAway) {
  const std::string swept = base_text +
                            "sweep:\n  - grid: {gnn: [{use: gcn, hops: 3}, mlp], seed: [1, 2]}\n"
                            "  - zip: {gnn: [{use: gcn, hops: 1}], seed: [3]}\n";
  const auto named = source(swept, {"gnn=gin"});
  EXPECT_EQ(named.base["gnn"]["use"], "gin");
  ASSERT_EQ(named.blocks[0].grid.size(), 1u);
  EXPECT_EQ(named.blocks[0].grid[0].key, "seed");
  EXPECT_EQ(named.blocks[1].zips[0].size(), 1u);
  const auto both = source(swept, {"gnn.use=gin,gcn"});
  EXPECT_EQ(both.blocks[0].grid.size(), 2u);
  EXPECT_EQ(both.blocks[0].grid.back().key, "gnn.use");
  EXPECT_EQ(source(swept, {"gnn.hops=2"}).blocks[0].grid.size(), 2u);
}

TEST_F(OverrideTest, KeysInTheFileOfAReplacedComponentAreNoMistake) {
  const std::string file = base_text + "  gnn.hops: 3\n";
  EXPECT_EQ(plan(file, {"gnn=gin"}).config(0).at("gnn"), (Json{{"use", "gin"}, {"eps", 0.0}}));
  EXPECT_EQ(id(file, {"gnn=gin"}), id(base_text, {"gnn=gin"}));
  EXPECT_EQ(id(file, {"gnn=gin", "gnn=gcn"}), id(file));
  const std::string nested =
      "name: test\nbase:\n  dataset: flora\n  encoder: classical\n  graph: threshold\n"
      "  gnn: {use: ga_net, layer: {use: gcn, hops: 3}}\n";
  EXPECT_THAT(states(plan(nested, {"gnn.layer=gin"})), ElementsAre(1, 0, 0, 0));
  const std::string swept = base_text + "  gnn.width: 8\nsweep:\n  - grid: {gnn.use: [gcn, mlp]}\n";
  EXPECT_THAT(states(plan(swept, {"gnn=gin"})), ElementsAre(1, 0, 0, 0));
  EXPECT_THAT(message(file, {"gnn=gin", "gnn.hops=2"}), HasSubstr("unknown key \"gnn.hops\""));
  EXPECT_THAT(message(file, {"gnn={use: gin, hops: 2}"}), HasSubstr("unknown key \"gnn.hops\""));
}

TEST_F(OverrideTest, AddsOnlyWhatIsNotThere) {
  EXPECT_EQ(source(base_text, {"+gnn.hops=3"}).base["gnn"]["hops"], 3);
  EXPECT_EQ(source(base_text, {"gnn.hops=3"}).base["gnn"]["hops"], 3);
  EXPECT_EQ(source(base_text, {"++graph.tau=0.1"}).base["graph"]["tau"], 0.1);
  EXPECT_THAT(mistake("+graph.tau=0.1"), HasSubstr("\"graph.tau\" is there already"));
}

TEST_F(OverrideTest, LeavesKeysOut) {
  EXPECT_FALSE(source(base_text, {"~graph.tau"}).base["graph"].contains("tau"));
  EXPECT_FALSE(source(base_text, {"~graph"}).base.contains("graph"));
  EXPECT_FALSE(source(base_text, {"~graph.tau=0.7"}).base["graph"].contains("tau"));
  EXPECT_FALSE(source(base_text, {"~graph=threshold"}).base.contains("graph"));
  const std::string swept = base_text + "sweep: {grid: {graph.tau: [0.1, 0.2]}}\n";
  EXPECT_TRUE(source(swept, {"~graph.tau"}).blocks[0].grid.empty());
  EXPECT_THAT(mistake("~graph.tau=0.1"), HasSubstr("does not hold this value"));
  EXPECT_THAT(mistake("~graph.tua"), AllOf(HasSubstr("there is no \"graph.tua\""),
                                           HasSubstr("did you mean \"~graph.tau\"?")));
}

TEST_F(OverrideTest, ReachesNameAboutAndLimits) {
  const ExperimentSource read = source(
      base_text, {"name=other", "about='to see'", "limits.seconds=5", "+limits.megabytes=7"});
  EXPECT_EQ(read.name, "other");
  EXPECT_EQ(read.about, "to see");
  EXPECT_EQ(read.limits, (Json{{"seconds", 5.0}, {"megabytes", 7.0}}));
  EXPECT_THAT(mistake("name=../x"), HasSubstr("a name cannot be used"));
  EXPECT_THAT(mistake("name=a,b"), HasSubstr("cannot be swept"));
  EXPECT_THAT(mistake("limits.seconds=-1"), HasSubstr("command line: limits.seconds=-1"));
}

TEST_F(OverrideTest, SaysWhatItCannotRead) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"graph.tau", "has no value"},
      {"", "has no value"},
      {"=1", "is no key"},
      {"a..b=1", "is no key"},
      {"gnn@x=1", "is no key"},
      {"graf.tau=1", "unknown section \"graf\""},
      {"train.lr=[1,2", "a comma or \"]\""},
      {"train.lr=[1 2]]", "a comma or the end"},
      {"train.lr={a 1}", "\":\" after the key"},
      {"train.lr={a: 1, a: 2}", "a key that is not there yet"},
      {"train.lr='open", "a closing quotation mark"},
      {"train.lr=1,,2", "a value"},
      {"train.lr=1,", "a value"},
      {"train.lr=foo(1)", "one of the functions"},
      {"train.lr=a(b", "one of the functions"},
      {"train.lr=x)", "put the text in quotes"},
      {"train.lr=${x}", "put the text in quotes"},
      {"train.lr=range()", "range([start,] stop[, step])"},
      {"train.lr=range(1,2,3,4)", "range([start,] stop[, step])"},
      {"train.lr=range(a,b)", "range([start,] stop[, step])"},
      {"train.lr=range(1,end=2)", "range([start,] stop[, step])"},
      {"train.lr=glob()", "glob(pattern"},
      {"train.lr=glob(1)", "glob(pattern"},
      {"train.lr=choice(a=1)", "choice(a, b, ...)"},
      {"train.lr=choice()", "has no values"},
      {"train.lr=interval(0,1)", "one of the functions"},
      {"train.lr=" + std::string(100000, '['), "16 levels"},
      {"train.lr.x.y=1", ""},
  };
  for (const auto& [text, expected] : cases) {
    EXPECT_THAT(mistake(text), HasSubstr(expected)) << text.substr(0, 50);
  }
}

TEST_F(OverrideTest, ReportsAllOfThem) {
  const std::string text = message(base_text, {"graf.tau=1", "train.lr=[", "gnn.hopps=2"});
  EXPECT_THAT(text, HasSubstr("graf"));
  EXPECT_THAT(text, HasSubstr("command line: train.lr=["));
  EXPECT_THAT(message(base_text, {"gnn.hopps=2"}),
              AllOf(HasSubstr("unknown key \"gnn.hopps\""), HasSubstr("command line: gnn.hopps=2"),
                    HasSubstr("did you mean \"hops\"?")));
}

TEST_F(OverrideTest, IsUtf8) {
  for (const char* text : {"name=\xff\xff", "\xc3=1", "dataset.root='caf\xe9'"}) {
    EXPECT_THAT(message(base_text, {text}), HasSubstr("an override is not UTF-8")) << text;
  }
}

}  // namespace
}  // namespace espalier
