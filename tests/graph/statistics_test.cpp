#include <algorithm>
#include <espalier/graph/statistics.hpp>

#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include "graph/golden.hpp"
#include "graph/random_rows.hpp"

namespace espalier {
namespace {

class ReferenceStatistics : public testing::TestWithParam<const char*> {};

TEST_P(ReferenceStatistics, AreTheSame) {
  const golden::Case reference("gnn/graphs");
  const std::string name = GetParam();
  const Json expected = reference.meta.at("graphs").at(name);
  const CsrGraph graph = golden::graph(reference["graph." + name + ".edge_index"],
                                       reference["graph." + name + ".cosine"], 60, 60);
  const at::Tensor labels = reference["labels"].contiguous();
  const std::span<const std::int64_t> all(labels.data_ptr<std::int64_t>(), 60);
  Json got = graph_statistics(graph);
  got.update(homophily_statistics(graph, all));
  EXPECT_EQ(got.at("nodes"), 60);
  EXPECT_EQ(got.at("edges"), expected.at("edges"));
  EXPECT_DOUBLE_EQ(got.at("density"), expected.at("density").get<double>());
  EXPECT_EQ(got.at("degree_min"), expected.at("degree").at("min"));
  EXPECT_EQ(got.at("degree_max"), expected.at("degree").at("max"));
  EXPECT_DOUBLE_EQ(got.at("degree_mean"), expected.at("degree").at("mean").get<double>());
  EXPECT_NEAR(got.at("degree_std").get<double>(), expected.at("degree").at("std").get<double>(),
              1e-12);
  EXPECT_DOUBLE_EQ(got.at("reciprocity"), expected.at("reciprocity").get<double>());
  EXPECT_EQ(got.at("isolated"), expected.at("isolated"));
  EXPECT_EQ(got.at("components"), expected.at("components"));
  EXPECT_EQ(got.at("largest_component"), expected.at("largest_component"));
  // PyTorch Geometric averages in float32.
  EXPECT_NEAR(got.at("edge_homophily").get<double>(),
              expected.at("homophily").at("edge").get<double>(), 1e-6);
  EXPECT_NEAR(got.at("class_homophily").get<double>(),
              expected.at("homophily").at("edge_insensitive").get<double>(), 1e-6);
  EXPECT_NEAR(got.at("node_homophily").get<double>(),
              expected.at("homophily").at("node_of_connected").get<double>(), 1e-6);
}
INSTANTIATE_TEST_SUITE_P(Graphs, ReferenceStatistics,
                         testing::Values("knn_cosine", "knn_cosine_union", "knn_cosine_mutual",
                                         "threshold_0.5", "threshold_0.7"),
                         [](const auto& tested) {
                           std::string name = tested.param;
                           std::replace(name.begin(), name.end(), '.', '_');
                           return name;
                         });

TEST(GraphStatistics, HomophilyLooksAtLabelledEndsOnly) {
  const CsrGraph graph = graph_from_edges(4, 4, {{0, 1}, {1, 0}, {0, 2}, {2, 0}, {2, 3}, {3, 2}});
  const std::vector<std::int64_t> labels = {1, 1, 0, -1};
  const auto found = homophily(graph, labels);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->edge, 0.5);
  EXPECT_EQ(found->node, 0.5);  // of 0 one of two, of 1 all, of 2 none
  // Into class 1: two of three edges, minus two of three nodes; into class 0 none.
  EXPECT_EQ(found->insensitive, 0.0);
  EXPECT_FALSE(homophily(graph, std::vector<std::int64_t>{0, -1, -1, 0}));
}

TEST(GraphStatistics, KeepTheBuildersFacts) {
  CsrGraph graph = empty_graph(3, 3);
  graph.facts = {{"tau", 0.7}, {"capped", 2}};
  const Json got = graph_statistics(graph);
  EXPECT_EQ(got.at("tau"), 0.7);
  EXPECT_EQ(got.at("capped"), 2);
  EXPECT_EQ(got.at("isolated"), 3);
  EXPECT_EQ(got.at("components"), 3);
  EXPECT_EQ(got.at("reciprocity"), 0.0);
  const Json none = homophily_statistics(graph, std::vector<std::int64_t>{0, 1, 2});
  EXPECT_TRUE(none.at("edge_homophily").is_null());
}

TEST(GraphStatistics, OfSimilaritiesCountEveryPair) {
  at::Tensor x = at::zeros({3, 2});
  x[0][0] = x[1][0] = 1;
  x[2][0] = -1;
  const Json got = similarity_statistics(SimilaritySearch(x), 3000);
  const auto histogram = got.at("similarity_histogram").get<std::vector<std::int64_t>>();
  EXPECT_EQ(histogram.size(), 64U);
  EXPECT_EQ(histogram.front() + histogram.back(), 3000);
  // One of three pairs is equal; the standard error of its share of 3000 draws is 26.
  EXPECT_NEAR(static_cast<double>(histogram.back()), 1000, 130);
  EXPECT_NEAR(got.at("similarity_mean").get<double>(), -1.0 / 3, 0.1);
  EXPECT_TRUE(similarity_statistics(SimilaritySearch(x.slice(0, 0, 1)), 10).empty());
}

TEST(GraphStatistics, ACopyInAnotherSetIsANearDuplicate) {
  const at::Tensor x = random_rows(20, 30, Random(4)), y = random_rows(9, 30, Random(5));
  at::Tensor queries = y.clone();
  queries[2] = x[7] * 3;
  queries[5] = x[1];
  queries[5][0] += 0.01;
  EXPECT_EQ(near_duplicates(SimilaritySearch(x), queries), 2);
  EXPECT_EQ(near_duplicates(SimilaritySearch(x), y), 0);
}

TEST(RecallWarning, IsOfSearchesThatMissATenth) {
  EXPECT_EQ(recall_warning({{"k", 10}, {"recall", 0.9}}), "");
  EXPECT_EQ(recall_warning(Json::object()), "");
  EXPECT_THAT(recall_warning({{"recall", 0.89}}), testing::HasSubstr("missed more than a tenth"));
  EXPECT_NE(recall_warning({{"image_recall", 1.0}, {"text_recall", 0.2}}), "");
}

}  // namespace
}  // namespace espalier
