#include <espalier/graph/csr.hpp>

#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <espalier/core/error.hpp>
#include <espalier/core/random.hpp>
#include <limits>

#include "graph/golden.hpp"

namespace espalier {
namespace {

std::vector<std::int64_t> values(const at::Tensor& tensor) {
  return {tensor.data_ptr<std::int64_t>(), tensor.data_ptr<std::int64_t>() + tensor.numel()};
}

std::string complaint(const CsrGraph& graph) {
  try {
    check_canonical(graph);
  } catch (const Error& error) {
    return error.what();
  }
  return "canonical";
}

CsrGraph triangle() {
  return graph_from_edges(3, 3, {{2, 0, 0.5F}, {0, 2, 0.5F}, {0, 1, 0.25F}, {1, 0, 0.25F}});
}

TEST(Csr, SortsEdgesByTargetAndThenSource) {
  const CsrGraph graph = triangle();
  EXPECT_THAT(values(graph.rowptr), testing::ElementsAre(0, 2, 3, 4));
  EXPECT_THAT(values(graph.col), testing::ElementsAre(1, 2, 0, 0));
  EXPECT_EQ(graph.weight[1].item<float>(), 0.5F);
  EXPECT_EQ(complaint(graph), "canonical");
}

TEST(Csr, OfDuplicatesTheHeaviestStays) {
  const CsrGraph graph = graph_from_edges(2, 2, {{0, 1, 0.2F}, {0, 1, 0.9F}, {0, 1, 0.4F}});
  ASSERT_EQ(graph.edges(), 1);
  EXPECT_EQ(graph.weight[0].item<float>(), 0.9F);
}

TEST(Csr, EdgesComeBackAsTheyWentIn) {
  const CsrGraph graph = triangle();
  const CsrGraph again = graph_from_edges(3, 3, edges_of(graph));
  EXPECT_TRUE(again.rowptr.equal(graph.rowptr));
  EXPECT_TRUE(again.col.equal(graph.col));
  EXPECT_TRUE(again.weight.equal(graph.weight));
}

TEST(Csr, InDegreeSumsTheWeightsThatArrive) {
  const at::Tensor degree = in_degree(triangle());
  EXPECT_FLOAT_EQ(degree[0].item<float>(), 0.75F);
  EXPECT_FLOAT_EQ(degree[1].item<float>(), 0.25F);
  EXPECT_FLOAT_EQ(degree[2].item<float>(), 0.5F);
}

TEST(Csr, TheIndexIsTheTranspose) {
  Random random(7);
  std::vector<Edge> edges;
  for (int e = 0; e < 200; ++e) {
    edges.push_back({static_cast<std::int64_t>(random.below(20)),
                     static_cast<std::int64_t>(random.below(30)), 1.0F});
  }
  const CsrGraph graph = graph_from_edges(20, 30, edges);
  const auto index = edge_index(graph);
  const auto begin = values(index->t_rowptr);
  const auto row = values(index->t_row);
  const auto edge = values(index->t_edge);
  ASSERT_EQ(begin.back(), graph.edges());
  for (std::size_t j = 0; j < 30; ++j) {
    for (auto k = static_cast<std::size_t>(begin[j]); k < static_cast<std::size_t>(begin[j + 1]);
         ++k) {
      EXPECT_EQ(graph.col[edge[k]].item<std::int64_t>(), static_cast<std::int64_t>(j));
      EXPECT_EQ(index->row[edge[k]].item<std::int64_t>(), row[k]);
      const bool first = k == static_cast<std::size_t>(begin[j]);
      EXPECT_TRUE(first || row[k - 1] < row[k]);
    }
  }
}

TEST(Csr, NamesTheRuleThatAGraphBreaks) {
  CsrGraph graph = triangle();
  graph.col[0] = 3;
  EXPECT_THAT(complaint(graph), testing::HasSubstr("column is out of range"));
  graph = triangle();
  graph.col[1] = 1;
  EXPECT_THAT(complaint(graph), testing::HasSubstr("do not ascend strictly"));
  graph = triangle();
  graph.col[2] = 1;
  EXPECT_THAT(complaint(graph), testing::HasSubstr("self-loop"));
  graph = triangle();
  graph.weight[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(complaint(graph), testing::HasSubstr("not finite"));
  graph = triangle();
  graph.rowptr[1] = 4;
  EXPECT_THAT(complaint(graph), testing::HasSubstr("canonical"));
  EXPECT_NE(complaint(graph), "canonical");
  graph = triangle();
  graph.rowptr[1] = 1000000;
  EXPECT_NE(complaint(graph), "canonical");
  graph = triangle();
  graph.weight = graph.weight.to(at::kDouble);
  EXPECT_THAT(complaint(graph), testing::HasSubstr("weight is not a vector of Float"));
  graph = triangle();
  graph.rowptr = at::Tensor();
  EXPECT_THAT(complaint(graph), testing::HasSubstr("rowptr"));
}

TEST(Csr, AGraphWithoutNodesIsCanonical) {
  EXPECT_EQ(complaint(empty_graph(0, 0)), "canonical");
  EXPECT_EQ(complaint(empty_graph(3, 0)), "canonical");
}

}  // namespace
}  // namespace espalier
