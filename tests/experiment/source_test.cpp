#include "experiment/source.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "experiment/support.hpp"

namespace espalier {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing_support::base_text;

class SourceTest : public testing_support::Experiment {
 protected:
  Json base(const std::string& lines) const { return source("name: t\nbase:\n" + lines).base; }
};

TEST_F(SourceTest, ReadsEveryPart) {
  const ExperimentSource read = source(
      "name: my-sweep_1.0\n"
      "about: What it is for\n"
      "base:\n"
      "  gnn: gcn\n"
      "  head: cosine\n"
      "  graph.tau: 0.5\n"
      "  train: {lr: 1e-3}\n"
      "limits: {seconds: 60, megabytes: 1000}\n"
      "sweep:\n"
      "  - grid: {gnn: [gcn, gin], graph: {tau: [0.5]}}\n"
      "    zip:\n"
      "      - {train.lr: [1, 2], seed: [3, 4]}\n"
      "      - {train.epochs: [1, 2, 3]}\n"
      "    sample: {n: 4, seed: 9}\n"
      "    when: gnn == gcn\n"
      "    exclude: [graph.tau > 1, seed == 3]\n"
      "  - {}\n");
  EXPECT_EQ(read.name, "my-sweep_1.0");
  EXPECT_EQ(read.about, "What it is for");
  EXPECT_EQ(read.base, (Json{{"gnn", {{"use", "gcn"}}},
                             {"head", {{"use", "cosine"}}},
                             {"graph", {{"tau", 0.5}}},
                             {"train", {{"lr", 0.001}}}}));
  EXPECT_EQ(read.limits, (Json{{"seconds", 60.0}, {"megabytes", 1000.0}}));
  ASSERT_EQ(read.blocks.size(), 2u);
  const SweepBlock& block = read.blocks[0];
  ASSERT_EQ(block.grid.size(), 2u);
  EXPECT_EQ(block.grid[0].key, "gnn.use");
  EXPECT_EQ(block.grid[1].key, "graph.tau");
  EXPECT_THAT(block.grid[1].where, HasSubstr("e.yaml:10"));
  ASSERT_EQ(block.zips.size(), 2u);
  EXPECT_EQ(block.zips[0].size(), 2u);
  EXPECT_EQ(block.sample, 4);
  EXPECT_EQ(block.sample_seed, 9);
  EXPECT_EQ(block.when.size(), 1u);
  EXPECT_EQ(block.exclude.size(), 2u);
  EXPECT_TRUE(read.blocks[1].grid.empty());
  EXPECT_THAT(read.locate("train.lr"), HasSubstr("e.yaml:7"));
  EXPECT_THAT(read.locate("train.epochs"), HasSubstr("e.yaml:7"));
  EXPECT_EQ(read.locate("nodes.fuse"), read.file);
}

TEST_F(SourceTest, ReadsScalarsAsYaml12Has) {
  EXPECT_EQ(
      base("  train: {a: 1, b: -1.5, c: 1e-3, d: .5, e: 5., f: 1_000, g: +2, h: 0x10}\n")["train"],
      (Json{{"a", 1},
            {"b", -1.5},
            {"c", 0.001},
            {"d", 0.5},
            {"e", 5.0},
            {"f", 1000},
            {"g", 2},
            {"h", "0x10"}}));
  EXPECT_EQ(base("  train: {a: true, b: False, c: null, d: ~, e: , f: yes, g: off}\n")["train"],
            (Json{{"a", true},
                  {"b", false},
                  {"c", nullptr},
                  {"d", nullptr},
                  {"e", nullptr},
                  {"f", "yes"},
                  {"g", "off"}}));
  EXPECT_EQ(
      base("  train: {a: '1', b: \"true\", c: '', d: 1.2.3, e: 1e, f: -, g: .nan}\n")["train"],
      (Json{{"a", "1"},
            {"b", "true"},
            {"c", ""},
            {"d", "1.2.3"},
            {"e", "1e"},
            {"f", "-"},
            {"g", ".nan"}}));
  EXPECT_EQ(base("  train:\n    a: 1 # one\n    b: 'x # y'\n")["train"],
            (Json{{"a", 1}, {"b", "x # y"}}));
}

TEST_F(SourceTest, KeepsFunctionsWholeInFlowCollections) {
  const auto values = [&](const std::string& axis) {
    const ExperimentSource read =
        source("name: t\nsweep:\n  - grid: {" + axis + ", train.lr: [7]}\n");
    EXPECT_EQ(read.blocks[0].grid.size(), 2u) << axis;
    return Json(read.blocks[0].grid[0].values).dump();
  };
  EXPECT_EQ(values("seed: range(0, 3)"), "[0,1,2]");
  EXPECT_EQ(values("seed: range(0, 7, 3)"), "[0,3,6]");
  EXPECT_EQ(values("seed: range(2)"), "[0,1]");
  EXPECT_EQ(values("seed: choice(4, 2)"), "[4,2]");
  EXPECT_EQ(values("gnn.use: glob(*, exclude=gat)"), R"([{"exclude":["gat"],"glob":["*"]}])");
  EXPECT_EQ(values("gnn.use: 'glob([a*, b], exclude=[c])'"),
            R"([{"exclude":["c"],"glob":["a*","b"]}])");
}

TEST_F(SourceTest, FollowsAnchors) {
  EXPECT_EQ(base("  train: &t {lr: 1}\n  head: {scale: 2}\n  nodes: *t\n")["nodes"],
            (Json{{"lr", 1}}));
}

TEST_F(SourceTest, NeedsANameThatCanBeAFolder) {
  EXPECT_THAT(message("base: {}\n"), HasSubstr("the experiment has no name"));
  for (const std::string name : {"../x", "a/b", "..", ".", ".hidden", "'a b'", "\xc3\xa4", "''"}) {
    EXPECT_THAT(message("name: " + name + "\n"), HasSubstr("name")) << name;
  }
  EXPECT_THAT(message("name: " + std::string(101, 'a') + "\n"), HasSubstr("cannot be used"));
  EXPECT_THAT(message("name: [a]\n"), HasSubstr("is no text"));
}

TEST_F(SourceTest, RefusesUnknownKeys) {
  const std::string text = message(
      "name: t\nbsae: {}\nbase:\n  grpah: {use: knn}\n  gnn: gcn\nlimits: {second: 1}\n"
      "sweep:\n  - gird: {seed: [1]}\n  - grid: {sede: [1]}\n  - sample: {m: 3}\n");
  EXPECT_THAT(text, AllOf(HasSubstr("unknown key \"bsae\""), HasSubstr("e.yaml:2"),
                          HasSubstr("did you mean \"base\"?")));
  EXPECT_THAT(text, AllOf(HasSubstr("unknown section \"grpah\""), HasSubstr("e.yaml:4")));
  EXPECT_THAT(text, AllOf(HasSubstr("unknown key \"limits.second\""), HasSubstr("e.yaml:6")));
  EXPECT_THAT(text, AllOf(HasSubstr("unknown key \"sweep.gird\""), HasSubstr("e.yaml:8")));
  EXPECT_THAT(text, AllOf(HasSubstr("unknown section \"sede\""), HasSubstr("e.yaml:9")));
  EXPECT_THAT(text, AllOf(HasSubstr("unknown key \"sample.m\""), HasSubstr("e.yaml:10")));
}

TEST_F(SourceTest, SaysWhereSectionsStandThatAreWrittenElsewhere) {
  const std::string text = message(
      "name: t\ndataset: {use: flora}\nbase: {gnn: {use: mlp, layers: 0}}\nsweep:\n  seed: [1]\n"
      "  graph.tau: [0.5]\n");
  EXPECT_THAT(text, AllOf(HasSubstr("unknown key \"dataset\""),
                          HasSubstr("fix:      write it under \"base\"")));
  EXPECT_THAT(text, AllOf(HasSubstr("unknown key \"sweep.graph.tau\""), HasSubstr("e.yaml:6"),
                          HasSubstr("fix:      write it under \"grid\"")));
  EXPECT_THAT(text, testing::Not(HasSubstr("\"dataset.use\" names no"))) << "which follows";
}

// One mistake in the sweep, and one in each of the places that are read after it.
TEST_F(SourceTest, ReportsMistakesOfTheFileAndOfThePlanTogether) {
  const std::string text = message(
      "name: t\nbase:\n  dataset: {use: flora, clases: 3}\n  encodr: classical\n  gnn: gnc\n"
      "  train: {lr: fast}\nsweep:\n  - grid: {seeed: [1, 2], graph.tau: [0.5]}\n"
      "    exclude: gnn == gat\n  - zip: {seed: [1, 2], train.epochs: [3]}\n",
      {"nodes.fuse=imgae", "captoiner=none"});
  for (const char* what :
       {"\"dataset.clases\"", "unknown section \"encodr\"", "is called \"gnc\"", "\"train.lr\"",
        "unknown section \"seeed\"", "\"graph.tau\"", "with what it never is", "differ in length",
        "\"nodes.fuse\"", "unknown section \"captoiner\""}) {
    EXPECT_THAT(text, HasSubstr(what));
  }
  EXPECT_THAT(text, testing::Not(HasSubstr("\"encoder.use\"")));  // follows from `encodr`
}

TEST_F(SourceTest, RefusesNumbersThatHaveNoNameOfTheirOwn) {
  for (const char* number : {"9007199254740993", "18446744073709551616",
                             "1"
                             "00000000000000000000"}) {
    EXPECT_THAT(message(base_text + "  seed: " + number + "\n"),
                AllOf(HasSubstr("\"seed\""), HasSubstr(number)));
    EXPECT_THAT(message(base_text, {std::string("train.lr=") + number}),
                AllOf(HasSubstr("\"train.lr\""), HasSubstr(number)));
  }
  EXPECT_THAT(message(base_text, {"seed=9007199254740992"}), HasSubstr("no error"));
}

TEST_F(SourceTest, RefusesAxesThatCannotBeSwept) {
  const auto sweep = [&](const std::string& lines) {
    return message(base_text + "sweep:\n" + lines);
  };
  EXPECT_THAT(sweep("  - grid: {seed: []}\n"), HasSubstr("the axis \"seed\" has no values"));
  EXPECT_THAT(sweep("  - grid: {seed: range(3, 1)}\n"), HasSubstr("has no values"));
  EXPECT_THAT(sweep("  - grid: {seed: }\n"), HasSubstr("has no values"));
  EXPECT_THAT(sweep("  - zip: {seed: [1, 2], graph.tau: [0.5]}\n"),
              AllOf(HasSubstr("differ in length"), HasSubstr("seed has 2, graph.tau has 1"),
                    HasSubstr("e.yaml:8")));
  EXPECT_THAT(sweep("  - zip: {gnn.use: glob(*)}\n"), HasSubstr("a glob cannot be zipped"));
  EXPECT_THAT(sweep("  - {grid: {gnn: [gcn]}, zip: {gnn.use: [gin]}}\n"), HasSubstr("twice"));
  EXPECT_THAT(sweep("  - sample: 0\n"), HasSubstr("\"sample\" cannot be read"));
  EXPECT_THAT(sweep("  - sample: {n: many}\n"), HasSubstr("\"sample\" cannot be read"));
  EXPECT_THAT(sweep("  - when: 'graph.tau >'\n"),
              AllOf(HasSubstr("cannot be read"), HasSubstr("e.yaml:8")));
  EXPECT_THAT(sweep("  - when: [[a]]\n"), HasSubstr("cannot be read"));
  EXPECT_THAT(sweep("  - grid: [1]\n"), HasSubstr("grid is no mapping"));
  EXPECT_THAT(sweep("  - 3\n"), HasSubstr("is no mapping"));
  EXPECT_THAT(sweep("  []\n"), HasSubstr("is no list of blocks"));
  EXPECT_THAT(sweep("  - grid: {seed: range(0, x)}\n"), HasSubstr("range([start,] stop[, step])"));
  EXPECT_THAT(sweep("  - grid: {seed: range(0, 1, 0)}\n"), HasSubstr("a step other than 0"));
  EXPECT_THAT(sweep("  - grid: {seed: range(0, 1e12)}\n"), HasSubstr("at most 1,000,000"));
  EXPECT_THAT(sweep("  - grid: {seed: 'range(0, 1'}\n"), HasSubstr("a comma or \")\""));
}

TEST_F(SourceTest, RefusesYamlThatIsWrong) {
  EXPECT_THAT(message("name: t\nbase:\n\tgnn: gcn\n"),
              AllOf(HasSubstr("indented with a tab"), HasSubstr("e.yaml:3")));
  EXPECT_THAT(message("name: t\nbase:\n  gnn: {use: a}\n  gnn: {use: b}\n"),
              AllOf(HasSubstr("the key \"gnn\" is there twice"), HasSubstr("e.yaml:4")));
  EXPECT_THAT(message("name: t\nbase:\n  gnn: {use: gcn}\n  gnn.use: gin\n"),
              AllOf(HasSubstr("\"gnn.use\" is there twice"), HasSubstr("first at e.yaml:3")));
  EXPECT_THAT(message("name: t\nbase:\n  gnn: \xff\xfe\n"),
              AllOf(HasSubstr("not UTF-8"), HasSubstr("e.yaml:3")));
  EXPECT_THAT(message(std::string("name: t\nbase:\n  gnn: a\0b\n", 24)), HasSubstr("zero byte"));
  EXPECT_THAT(message("name: t\nbase: [\n"),
              AllOf(HasSubstr("not valid YAML"), HasSubstr("e.yaml:")));
  EXPECT_THAT(message("name: t\nbase: {a: 'x}\n"), HasSubstr("not valid YAML"));
  EXPECT_THAT(message("name: t\n---\nname: u\n"), HasSubstr("a second document"));
  EXPECT_THAT(message("name: !!python/object:os.system t\n"), HasSubstr("tags are not supported"));
  EXPECT_THAT(message("name: t\nbase: *nothing\n"), HasSubstr("not valid YAML"));
  EXPECT_THAT(message("name: t\nbase: {[a]: 1}\n"), HasSubstr("a key is not a word"));
  EXPECT_THAT(message("name: t\nbase:\n  <<: {a: 1}\n"), HasSubstr("is no key"));
  EXPECT_THAT(message(""), AllOf(HasSubstr("the experiment is no mapping"), HasSubstr("e.yaml\n"),
                                 testing::Not(HasSubstr("has no name"))));
  EXPECT_THAT(message("- a\n"), HasSubstr("the experiment is no mapping"));
  EXPECT_THAT(message("name: t\nbase:\n  train: 1\n  train.lr: 2\n"), HasSubstr("no section"));
}

TEST_F(SourceTest, RefusesYamlThatIsHostile) {
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THAT(message("name: t\nbase: &a [*a]\n"), HasSubstr("an anchor contains itself"));
  std::string bomb = "name: t\na0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 20; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += (k == 0 ? "" : ", ") + before;
    bomb += "]\n";
  }
  EXPECT_THAT(message(bomb), HasSubstr("more than 200,000 values"));
  const std::string word(100'000, 'x');
  std::string copies = "name: t\nabout: &a " + word + "\nbase: [";
  for (int i = 0; i < 1000; ++i) copies += "*a, ";
  EXPECT_THAT(message(copies + "]\n"), HasSubstr("more than 16 MiB of text"));
  std::string deep = "a0: &a0 [[[[x]]]]\n";
  for (int i = 1; i < 20; ++i) {
    deep += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [[[[*a" +
            std::to_string(i - 1) + "]]]]\n";
  }
  EXPECT_THAT(message(deep), HasSubstr("32 levels"));
  std::string nested = "name: ";
  for (int i = 0; i < 30; ++i) nested += "&n" + std::to_string(i) + " [";
  for (int i = 0; i < 30'000; ++i) nested += "x,";
  EXPECT_THAT(message(nested + std::string(30, ']')), HasSubstr("more than 200,000 values"));
  EXPECT_THAT(message("name: " + std::string(10 << 20, '[')), HasSubstr("too large"));
  EXPECT_THAT(message("name: " + std::string(900'000, '[')), HasSubstr("32 levels"));
  EXPECT_THAT(message("name: " + std::string(900'000, '{')), HasSubstr("32 levels"));
  std::string blocks = "name:\n";
  for (int depth = 1; depth < 1000; ++depth) blocks += std::string(depth, ' ') + "a:\n";
  EXPECT_THAT(message(blocks), HasSubstr("32 levels"));
  std::string dashes = "name: ";
  for (int i = 0; i < 10000; ++i) dashes += "- ";
  EXPECT_THAT(message(dashes), testing::Not(HasSubstr("no error")));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

TEST_F(SourceTest, NamesAFileThatIsNotThere) {
  EXPECT_THROW((void)ExperimentSource::read(folder_ / "none.yaml", {}), Error);
  EXPECT_THROW((void)ExperimentSource::read(folder_, {}), Error);
}

}  // namespace
}  // namespace espalier
