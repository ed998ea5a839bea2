#include <algorithm>
#include <espalier/graph/statistics.hpp>

#include <gtest/gtest.h>

#include "graph/golden.hpp"

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
  const Json got = graph_statistics(graph, all);
  EXPECT_EQ(got.at("nodes"), 60);
  EXPECT_EQ(got.at("edges"), expected.at("edges"));
  EXPECT_DOUBLE_EQ(got.at("density"), expected.at("density").get<double>());
  EXPECT_EQ(got.at("degree_min"), expected.at("degree").at("min"));
  EXPECT_EQ(got.at("degree_max"), expected.at("degree").at("max"));
  EXPECT_DOUBLE_EQ(got.at("degree_mean"), expected.at("degree").at("mean").get<double>());
  EXPECT_EQ(got.at("isolated"), expected.at("isolated"));
  EXPECT_EQ(got.at("components"), expected.at("components"));
  EXPECT_EQ(got.at("largest_component"), expected.at("largest_component"));
  // PyTorch Geometric averages in float32.
  EXPECT_NEAR(got.at("edge_homophily").get<double>(),
              expected.at("homophily").at("edge").get<double>(), 1e-6);
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
  EXPECT_EQ(edge_homophily(graph, labels), 0.5);
  EXPECT_EQ(edge_homophily(graph, std::vector<std::int64_t>{0, -1, -1, 0}), std::nullopt);
}

TEST(GraphStatistics, KeepTheBuildersFacts) {
  CsrGraph graph = empty_graph(3, 3);
  graph.facts = {{"tau", 0.7}, {"capped", 2}};
  const Json got = graph_statistics(graph, std::vector<std::int64_t>{0, 1, 2});
  EXPECT_EQ(got.at("tau"), 0.7);
  EXPECT_EQ(got.at("capped"), 2);
  EXPECT_EQ(got.at("isolated"), 3);
  EXPECT_EQ(got.at("components"), 3);
  EXPECT_TRUE(got.at("edge_homophily").is_null());
}

}  // namespace
}  // namespace espalier
