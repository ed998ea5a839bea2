#include <espalier/graph/edges.hpp>

#include <gmock/gmock.h>

#include <espalier/core/error.hpp>

#include "graph/golden.hpp"

namespace espalier {
namespace {

using Found = Neighbours;

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
  const auto found = SimilaritySearch(reference["x"]).nearest_others(5);
  expect_same(graph_from_neighbours(found, GetParam().first, {}),
              reference_graph(reference, GetParam().second));
}
INSTANTIATE_TEST_SUITE_P(Graphs, ReferenceKnn,
                         testing::Values(std::pair("directed", "knn_cosine"),
                                         std::pair("union", "knn_cosine_union"),
                                         std::pair("mutual", "knn_cosine_mutual")),
                         [](const auto& tested) { return std::string(tested.param.first); });

TEST(Edges, ThresholdGraphsAreTheReferences) {
  const golden::Case reference("gnn/graphs");
  const SimilaritySearch search(reference["x"]);
  for (const auto& [tau, name] : {std::pair(0.5, "threshold_0.5"), {0.7, "threshold_0.7"}}) {
    expect_same(graph_from_neighbours(search.others_within(tau), "directed", {}),
                reference_graph(reference, name));
  }
}

// The weights of one row with these cosines, by hand.
std::vector<float> row_weights(const std::string& kind, const std::vector<double>& cosines) {
  Found found(1);
  for (std::size_t i = 0; i < cosines.size(); ++i) {
    found[0].push_back({static_cast<std::int64_t>(i), cosines[i]});
  }
  const CsrGraph graph = attach_from_neighbours(found, 9, {.weight = kind, .temperature = 0.5});
  const float* values = graph.weight.data_ptr<float>();
  return {values, values + graph.edges()};
}

TEST(Edges, WeightsAreWhatTheirFormulasSay) {
  using testing::ElementsAre;
  EXPECT_THAT(row_weights("binary", {-0.5, 0.25}), ElementsAre(1.0F, 1.0F));
  EXPECT_THAT(row_weights("cosine", {-0.25, 0.25}), ElementsAre(0.0F, 0.25F));
  EXPECT_THAT(row_weights("affine", {-0.5, 1}), ElementsAre(0.25F, 1.0F));
  EXPECT_THAT(row_weights("heat", {1, 0.5}),
              ElementsAre(1.0F, testing::FloatNear(0.36787944F, 1e-7F)));  // exp(-1)
  EXPECT_THAT(
      row_weights("softmax", {0.5, 0}),  // e / (1 + e)
      ElementsAre(testing::FloatNear(0.73105858F, 1e-7F), testing::FloatNear(0.26894142F, 1e-7F)));
  EXPECT_THAT(row_weights("rank", {0.1, 0.9, 0.1, 0.5}), ElementsAre(0.5F, 1.0F, 0.25F, 0.75F));
}

TEST(Edges, UnionDoesNotDoubleTheWeightOfMutualEdges) {
  const Found found = {{{1, 0.5}}, {{0, 0.5}, {2, 0.25}}, {}};
  const CsrGraph graph = graph_from_neighbours(found, "union", {});
  EXPECT_EQ(graph.edges(), 4);
  EXPECT_EQ(graph.weight[0].item<float>(), 0.5F);
}

TEST(Edges, TheCapKeepsTheBestAndSaysHowManyItCut) {
  Found found = {{{1, 0.5}, {2, 0.9}, {3, 0.5}}, {{0, 0.1}}};
  EXPECT_EQ(cap_degree(found, 2), 1);
  EXPECT_THAT(found[0], testing::ElementsAre(Neighbour{2, 0.9}, Neighbour{1, 0.5}));
  EXPECT_EQ(cap_degree(found, 0), 0);
}

// By hand: 0 and 1 choose each other first, 2 chooses 0 first, and everyone has the others second.
TEST(Edges, TheKOfADegreeIsTheNearest) {
  const Found found = {{{1, 0.9}, {2, 0.5}}, {{0, 0.9}, {2, 0.4}}, {{0, 0.5}, {1, 0.4}}};
  EXPECT_EQ(k_for_degree(found, "directed", 1.0), 1);
  EXPECT_EQ(k_for_degree(found, "directed", 1.6), 2);
  EXPECT_EQ(k_for_degree(found, "union", 1.3), 1);   // 4 edges of 3 nodes, then 6
  EXPECT_EQ(k_for_degree(found, "mutual", 0.7), 1);  // 2 edges, then 6
  EXPECT_EQ(k_for_degree(found, "mutual", 1.5), 2);
  EXPECT_EQ(k_for_degree({}, "union", 3), 1);
}

TEST(Edges, TooManyAreRefusedWithWhatToDo) {
  require_edges(2e8, "a larger tau");
  try {
    require_edges(1e9, "a larger tau");
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("a larger tau"));
    EXPECT_THAT(error.what(), testing::HasSubstr("1000000000"));
  }
}

}  // namespace
}  // namespace espalier
