#include "train/query_graph.hpp"

#include <ATen/ops/arange.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <tuple>
#include <vector>

namespace espalier {

static bool operator==(const Edge& a, const Edge& b) {
  return std::tuple(a.target, a.source, a.weight, a.relation) ==
         std::tuple(b.target, b.source, b.weight, b.relation);
}

namespace {

using testing::ElementsAre;

constexpr std::int64_t support = 4;

// Three queries of an image node (rows 0 to 2) and a text node (rows 3 to 5). Sources: four nodes
// of the support, then the queries' own in the same order as the rows.
CsrGraph three_queries() {
  std::vector<Edge> edges = {{.target = 0, .source = 3, .weight = 0.5F},
                             {.target = 2, .source = 1, .weight = 0.25F},
                             {.target = 2, .source = 2, .weight = 0.75F},
                             {.target = 5, .source = 0, .weight = 0.125F, .relation = 1}};
  for (std::int64_t q = 0; q < 3; ++q) {
    edges.push_back({.target = q, .source = support + 3 + q, .weight = 1, .relation = 3});
    edges.push_back({.target = 3 + q, .source = support + q, .weight = 1, .relation = 2});
  }
  CsrGraph graph = graph_from_edges(6, support + 6, std::move(edges), true);
  graph.source_degree = at::arange(10, at::kFloat);
  return graph;
}

TEST(QueryBlock, HasTheQueriesRowsAndTheirOwnNodesBehindTheWholeSupport) {
  const std::vector<std::int64_t> queries = {2, 0, 2};
  const CsrGraph block = query_block(three_queries(), queries, 2, support);
  EXPECT_EQ(block.targets, 6);
  EXPECT_EQ(block.sources, support + 6);
  EXPECT_THAT(
      edges_of(block),
      ElementsAre(Edge{0, 1, 0.25F, 0}, Edge{0, 2, 0.75F, 0}, Edge{0, 7, 1, 3}, Edge{1, 3, 0.5F, 0},
                  Edge{1, 8, 1, 3}, Edge{2, 1, 0.25F, 0}, Edge{2, 2, 0.75F, 0}, Edge{2, 9, 1, 3},
                  Edge{3, 0, 0.125F, 1}, Edge{3, 4, 1, 2}, Edge{4, 5, 1, 2}, Edge{5, 0, 0.125F, 1},
                  Edge{5, 6, 1, 2}));
  EXPECT_TRUE(
      block.source_degree.equal(at::tensor({0.F, 1.F, 2.F, 3.F, 6.F, 4.F, 6.F, 9.F, 7.F, 9.F})));
  EXPECT_NO_THROW(check_canonical(block));
}

TEST(QueryGraph, HasTheNeighboursAloneAndTheQuerysOwnNodesBehindThem) {
  const QueryGraph one = query_graph(three_queries(), 2, 2, support);
  EXPECT_TRUE(one.neighbours.equal(at::tensor({0, 1, 2}, at::kLong)));
  EXPECT_THAT(edges_of(one.graph),
              ElementsAre(Edge{0, 1, 0.25F, 0}, Edge{0, 2, 0.75F, 0}, Edge{0, 4, 1, 3},
                          Edge{1, 0, 0.125F, 1}, Edge{1, 3, 1, 2}));
  EXPECT_TRUE(one.graph.source_degree.equal(at::tensor({0.F, 1.F, 2.F, 6.F, 9.F})));
}

}  // namespace
}  // namespace espalier
