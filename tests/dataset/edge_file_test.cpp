#include <espalier/dataset/edge_file.hpp>

#include <gmock/gmock.h>

#include <espalier/core/error.hpp>

namespace espalier {
namespace {

std::string refusal(const std::string& text) {
  try {
    (void)parse_edge_list(text, "edges.csv");
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

TEST(EdgeFile, HasAnEdgeARow) {
  const auto edges = parse_edge_list("source,target,weight\na,b,0.5\n\"c,d\",a\n", "edges.csv");
  ASSERT_EQ(edges.size(), 2U);
  EXPECT_EQ(edges[0].source, "a");
  EXPECT_EQ(edges[0].target, "b");
  EXPECT_EQ(edges[0].weight, 0.5);
  EXPECT_EQ(edges[1].source, "c,d");
  EXPECT_EQ(edges[1].weight, 1);
  EXPECT_EQ(edges[1].line, 3);
}

TEST(EdgeFile, MayBeEmptyOrSeparatedByTabs) {
  EXPECT_TRUE(parse_edge_list("", "edges.csv").empty());
  EXPECT_TRUE(parse_edge_list("source,target\n", "edges.csv").empty());
  EXPECT_EQ(parse_edge_list("a\tb\t2\n", "edges.tsv", '\t').at(0).weight, 2);
}

TEST(EdgeFile, RefusesRowsThatAreNoEdgesAllAtOnce) {
  const std::string said = refusal("a,b\na\na,b,-1\na,b,nan\na,b,1e99\na,,1\na,b,1,2\na,b,x\n");
  for (const char* line : {":2", ":3", ":4", ":5", ":6", ":7", ":8"}) {
    EXPECT_THAT(said, testing::HasSubstr(std::string("edges.csv") + line));
  }
  EXPECT_THAT(said, testing::Not(testing::HasSubstr("edges.csv:1")));
}

TEST(EdgeFile, ALineOfZerosIsNoEdge) {
  EXPECT_THAT(refusal(std::string(20, '\0')), testing::HasSubstr("edges.csv:1"));
}

}  // namespace
}  // namespace espalier
