#include <espalier/graph/receivers.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/ones.h>
#include <gmock/gmock.h>

#include <vector>

namespace espalier {
namespace {

using testing::ElementsAre;

std::vector<std::int64_t> whole_numbers(const at::Tensor& tensor) {
  return {tensor.data_ptr<std::int64_t>(), tensor.data_ptr<std::int64_t>() + tensor.numel()};
}

// Two nodes that send to each other, and two queries, of which the second gets nothing.
const CsrGraph pair_of_nodes = graph_from_edges(2, 2, {{0, 1, 0.5F, 1}, {1, 0, 0.25F, 2}}, true);

CsrGraph queries() {
  CsrGraph rows = graph_from_edges(2, 2, {{0, 0, 0.75F, 3}, {0, 1, 1.0F, 0}}, true);
  rows.source_degree = in_degree(pair_of_nodes);
  return rows;
}

TEST(Receivers, StandBehindTheNodesAndSendNothing) {
  const CsrGraph all = with_receivers(pair_of_nodes, queries());
  EXPECT_EQ(all.targets, 4);
  EXPECT_TRUE(all.square());
  EXPECT_THAT(whole_numbers(all.rowptr), ElementsAre(0, 1, 2, 4, 4));
  EXPECT_THAT(whole_numbers(all.col), ElementsAre(1, 0, 0, 1));
  EXPECT_EQ(all.weight[2].item<float>(), 0.75F);
  EXPECT_EQ(all.relation[2].item<int>(), 3);
  check_canonical(all);
}

TEST(Receivers, MayBeAllThereIs) {
  const CsrGraph alone = with_receivers(empty_graph(0, 0), empty_graph(3, 0));
  EXPECT_EQ(alone.targets, 3);
  EXPECT_TRUE(alone.square());
  EXPECT_EQ(alone.edges(), 0);
  check_canonical(alone);
}

TEST(Receivers, HaveNoEdgesWhereNodesHaveSome) {
  const CsrGraph all = with_receivers(pair_of_nodes, empty_graph(1, 2));
  EXPECT_THAT(whole_numbers(all.rowptr), ElementsAre(0, 1, 2, 2));
  EXPECT_EQ(all.relation.numel(), 2);
}

TEST(Stacked, KeepsSourcesAndTheirDegrees) {
  CsrGraph own = pair_of_nodes;
  own.source_degree = in_degree(own);
  const CsrGraph rows = stacked(own, queries());
  EXPECT_EQ(rows.targets, 4);
  EXPECT_EQ(rows.sources, 2);
  EXPECT_FALSE(rows.square());
  EXPECT_TRUE(rows.source_degree.equal(own.source_degree));
  EXPECT_THAT(whole_numbers(rows.col), ElementsAre(1, 0, 0, 1));
}

TEST(Stacked, CarriesAttributes) {
  CsrGraph one = pair_of_nodes, other = queries();
  one.attributes = at::ones({2, 3});
  other.attributes = at::ones({2, 3}) * 2;
  const CsrGraph both = stacked(one, other);
  EXPECT_EQ(both.attributes.sizes(), at::IntArrayRef({4, 3}));
  EXPECT_EQ(both.attributes[3][0].item<float>(), 2);
}

}  // namespace
}  // namespace espalier
