#include <espalier/graph/edges.hpp>

#include <gmock/gmock.h>

#include "graph/golden.hpp"

namespace espalier {
namespace {

using Found = std::vector<std::vector<Neighbour>>;

// The reference's edges of one graph, with the cosines as weights.
CsrGraph reference_graph(const golden::Case& reference, const std::string& name) {
  return golden::graph(reference["graph." + name + ".edge_index"],
                       reference["graph." + name + ".cosine"], 60, 60);
}

void expect_same(const CsrGraph& got, const CsrGraph& expected) {
  EXPECT_TRUE(got.rowptr.equal(expected.rowptr));
  EXPECT_TRUE(got.col.equal(expected.col));
  // Cosines in double on both sides, stored as float.
  EXPECT_LT((got.weight - expected.weight).abs().max().item<double>(), 1e-7);
}

class ReferenceKnn : public testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(ReferenceKnn, HasTheSameEdges) {
  const golden::Case reference("gnn/graphs");
  ASSERT_GT(reference["margin.cosine"].min().item<float>(), 1e-6F) << "no ties in the reference";
  const auto found = CosineSearch(reference["x"]).nearest_others(5);
  expect_same(graph_from_neighbours(found, GetParam().first, "cosine"),
              reference_graph(reference, GetParam().second));
}
INSTANTIATE_TEST_SUITE_P(Graphs, ReferenceKnn,
                         testing::Values(std::pair("directed", "knn_cosine"),
                                         std::pair("union", "knn_cosine_union"),
                                         std::pair("mutual", "knn_cosine_mutual")),
                         [](const auto& tested) { return std::string(tested.param.first); });

TEST(Edges, ThresholdGraphsAreTheReferences) {
  const golden::Case reference("gnn/graphs");
  const CosineSearch search(reference["x"]);
  for (const auto& [tau, name] : {std::pair(0.5, "threshold_0.5"), {0.7, "threshold_0.7"}}) {
    expect_same(graph_from_neighbours(search.others_within(tau), "directed", "cosine"),
                reference_graph(reference, name));
  }
}

TEST(Edges, WeightsLieBetweenZeroAndOne) {
  EXPECT_EQ(edge_weight("binary", -0.5), 1.0F);
  EXPECT_EQ(edge_weight("cosine", 0.25), 0.25F);
  EXPECT_EQ(edge_weight("cosine", -0.25), 0.0F);
  EXPECT_EQ(edge_weight("affine", -0.5), 0.25F);
}

TEST(Edges, UnionDoesNotDoubleTheWeightOfMutualEdges) {
  const Found found = {{{1, 0.5}}, {{0, 0.5}, {2, 0.25}}, {}};
  const CsrGraph graph = graph_from_neighbours(found, "union", "cosine");
  EXPECT_EQ(graph.edges(), 4);
  EXPECT_EQ(graph.weight[0].item<float>(), 0.5F);
}

TEST(Edges, TheCapKeepsTheBestAndSaysHowManyItCut) {
  Found found = {{{1, 0.5}, {2, 0.9}, {3, 0.5}}, {{0, 0.1}}};
  EXPECT_EQ(cap_degree(found, 2), 1);
  EXPECT_THAT(found[0], testing::ElementsAre(Neighbour{2, 0.9}, Neighbour{1, 0.5}));
  EXPECT_EQ(cap_degree(found, 0), 0);
}

}  // namespace
}  // namespace espalier
