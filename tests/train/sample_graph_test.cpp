#include "train/sample_graph.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "train/small_world.hpp"

namespace espalier {
namespace {

using small_world::World;

class SampleGraphs : public testing::Test {
 protected:
  World world_{"inductive_attach", "mlp", Json::object()};
  AttachedSamples graph_{world_.data.train, world_.maker};
};

std::vector<Edge> row_of(const CsrGraph& graph, std::int64_t row) {
  std::vector<Edge> edges;
  for (Edge edge : edges_of(graph)) {
    if (edge.target != row) continue;
    edge.target = 0;
    edges.push_back(edge);
  }
  return edges;
}

void expect_same_row(const std::vector<Edge>& a, const std::vector<Edge>& b) {
  ASSERT_EQ(a.size(), b.size());
  for (std::size_t e = 0; e < a.size(); ++e) {
    EXPECT_EQ(a[e].source, b[e].source);
    EXPECT_EQ(a[e].weight, b[e].weight);
  }
}

TEST_F(SampleGraphs, HaveTheTrainingSamplesAndTheProtocolsGraph) {
  EXPECT_EQ(std::ssize(graph_.nodes()), 24);
  EXPECT_EQ(graph_.nodes()[23], 23);
  const CsrGraph& own = graph_.graph();
  EXPECT_TRUE(own.square());
  EXPECT_GT(own.edges(), 0);
  EXPECT_TRUE(own.col.equal(world_.protocol->training().graph.col));
  EXPECT_TRUE(own.weight.equal(world_.protocol->training().graph.weight));
}

TEST_F(SampleGraphs, TellNoLabels) {
  const std::int64_t samples[] = {3, 30};
  EXPECT_FALSE(graph_.graph().label.defined());
  EXPECT_FALSE(graph_.rows(samples).label.defined());
}

TEST_F(SampleGraphs, GiveATrainingSampleTheEdgesOfItsNode) {
  const std::int64_t samples[] = {7, 0, 7};
  const CsrGraph rows = graph_.rows(samples);
  EXPECT_EQ(rows.targets, 3);
  EXPECT_EQ(rows.sources, 24);
  EXPECT_TRUE(rows.source_degree.equal(in_degree(graph_.graph())));
  expect_same_row(row_of(rows, 0), row_of(graph_.graph(), 7));
  expect_same_row(row_of(rows, 1), row_of(graph_.graph(), 0));
  expect_same_row(row_of(rows, 2), row_of(rows, 0));
}

TEST_F(SampleGraphs, AttachOthersAsTheProtocolDoes) {
  const Scene scene = world_.protocol->scenes(world_.data.test).at(0);
  std::vector<std::int64_t> samples(scene.samples.begin(), scene.samples.end());
  const CsrGraph rows = graph_.rows(samples);
  for (std::int64_t row = 0; row < rows.targets; ++row) {
    expect_same_row(row_of(rows, row), row_of(scene.graph, row));
  }
}

TEST_F(SampleGraphs, HaveTheSameRowsInAnyCompanyAndOrder) {
  const std::int64_t many[] = {40, 3, 59, 12, 30};
  const CsrGraph together = graph_.rows(many);
  for (std::int64_t row = 0; row < 5; ++row) {
    const std::int64_t alone[] = {many[row]};
    expect_same_row(row_of(graph_.rows(alone), 0), row_of(together, row));
    EXPECT_FALSE(row_of(together, row).empty()) << many[row];
  }
}

TEST(LoneSamplesHave, NoNodesAndNoEdges) {
  const LoneSamples alone;
  const std::int64_t samples[] = {4, 5};
  EXPECT_TRUE(alone.nodes().empty());
  EXPECT_EQ(alone.rows(samples).targets, 2);
  EXPECT_EQ(alone.rows(samples).sources, alone.graph().targets);
  EXPECT_EQ(alone.rows(samples).edges(), 0);
}

}  // namespace
}  // namespace espalier
