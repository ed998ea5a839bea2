#include "train/graph_protocol.hpp"

#include <ATen/ops/cat.h>
#include <gmock/gmock.h>

#include "train/small_world.hpp"

namespace espalier {
namespace {

using small_world::Data;
using small_world::World;

const Json two_layers = {{"layers", 2}, {"hidden", 8}};

Nodes pick(const Nodes& nodes, const std::vector<std::int64_t>& order) {
  std::vector<at::Tensor> rows;
  for (const std::int64_t i : order) rows.push_back(nodes.x.slice(0, i, i + 1));
  return {.x = at::cat(rows)};
}

// What other queries may change: matrix products round a row by where it stands among the others.
// A query that sees another one has them changed by more than 0.02.
constexpr double rounding = 1e-6;

// A query's logits are the same alone, in blocks of any size, and in any order.
TEST(InductiveAttach, DoesNotDependOnTheOtherQueries) {
  const World world("inductive_attach", "gcn", two_layers);
  const at::Tensor all = world.protocol->test(world.model, world.data.all);
  for (const std::int64_t size : {1, 7, 64}) {
    for (std::int64_t first = 0; first < 60; first += size) {
      const std::int64_t last = std::min<std::int64_t>(first + size, 60);
      const at::Tensor some = world.protocol->test(world.model, slice(world.data.all, first, last));
      EXPECT_LT(golden::error(some, all.slice(0, first, last)), rounding) << size << ", " << first;
    }
  }
  std::vector<std::int64_t> order;
  for (std::int64_t i = 0; i < 60; ++i) order.push_back((i * 13 + 5) % 60);
  const at::Tensor shuffled = world.protocol->test(world.model, pick(world.data.all, order));
  EXPECT_LT(golden::error(shuffled, pick({.x = all}, order).x), rounding);
}

TEST(InductiveAttach, RemovingAQueryLeavesTheOthersAlone) {
  const World world("inductive_attach", "gcn", two_layers);
  const at::Tensor all = world.protocol->test(world.model, world.data.test);
  for (std::int64_t gone = 0; gone < 24; ++gone) {
    const Nodes rest = join(slice(world.data.test, 0, gone), slice(world.data.test, gone + 1, 24));
    const at::Tensor logits = world.protocol->test(world.model, rest);
    const at::Tensor others = at::cat({all.slice(0, 0, gone), all.slice(0, gone + 1)});
    EXPECT_LT(golden::error(logits, others), rounding) << gone;
  }
}

TEST(InductiveAttach, TheTrainingGraphIsOfTrainingNodesAlone) {
  const World world("inductive_attach", "gcn", two_layers);
  Data other;
  other.test.x = other.test.x * -3;
  other.val.x = other.val.x * -2;
  const World changed("inductive_attach", "gcn", two_layers, 1, {}, other);
  EXPECT_EQ(world.protocol->graph().targets, 24);
  EXPECT_TRUE(world.protocol->graph().col.equal(changed.protocol->graph().col));
  EXPECT_TRUE(world.protocol->graph().weight.equal(changed.protocol->graph().weight));
}

// A copy of a training node that is attached to the neighbours of the original, and to the original
// itself, is no training node; but without any edges both are the same.
TEST(InductiveAttach, WithoutEdgesAQueryIsTreatedAsATrainingNodeIs) {
  const World world("none", "mlp", {{"layers", 2}, {"hidden", 8}});
  const at::Tensor attached = world.protocol->test(world.model, world.data.train);
  const at::Tensor trained = world.protocol->evaluate(world.model).train;
  EXPECT_LT(golden::error(attached, trained), 1e-6);
}

// The union graph, built by hand: support nodes keep their edges, the query only receives.
TEST(InductiveAttach, IsTheUnionGraphInWhichQueriesOnlyReceive) {
  const World world("inductive_attach", "gcn", two_layers);
  const Nodes query = slice(world.data.test, 3, 4);
  const CsrGraph own = world.builder->attach(world.data.train.x, query.x);
  std::vector<Edge> edges = edges_of(world.protocol->graph());
  for (Edge edge : edges_of(own)) {
    edge.target = 24;
    edges.push_back(edge);
  }
  const CsrGraph whole = graph_from_edges(25, 25, std::move(edges));
  const at::Tensor expected = world.model.logits(join(world.data.train, query), whole, {})[24];
  const at::Tensor got = world.protocol->test(world.model, query)[0];
  // Sums of the same terms in another order.
  EXPECT_LT(golden::error(got, expected), 1e-5);
}

TEST(InductiveBatch, DependsOnTheOtherQueriesAndSaysSo) {
  const World world("inductive_batch", "gcn", two_layers);
  const at::Tensor all = world.protocol->test(world.model, world.data.test);
  const at::Tensor alone = world.protocol->test(world.model, slice(world.data.test, 0, 1));
  EXPECT_EQ(all.size(0), 24);
  EXPECT_FALSE(alone[0].equal(all[0])) << "if equal, the batch was not joined";
  EXPECT_EQ(world.protocol->graph().targets, 24);
}

TEST(Transductive, AllNodesShareOneGraph) {
  const World world("transductive", "gcn", two_layers);
  EXPECT_EQ(world.protocol->graph().targets, 60);
  EXPECT_EQ(world.protocol->evaluate(world.model).train.size(0), 24);
  EXPECT_EQ(world.protocol->evaluate(world.model).val.size(0), 12);
  EXPECT_EQ(world.protocol->test(world.model, world.data.test).size(0), 24);
}

TEST(NoGraph, HasNoEdgesWhateverTheBuilder) {
  const World world("none", "mlp", Json::object());
  EXPECT_EQ(world.protocol->evaluate(world.model).val.size(0), 12);
}

// Bimodal queries see their own pair edge, in every block size.
TEST(InductiveAttach, OfTwoNodesASampleDoesNotDependOnTheOtherQueries) {
  const Data data;
  const at::Tensor x = data.all.x;
  const Nodes all = fuse({.fuse = "bimodal"}, x, x.slice(1, 0, 6), false);
  const auto builder = testing_support::make<GraphBuilder>("knn", Json{{"k", 3}});
  const NodeGraphs graphs(*builder, "graph/knn", false);
  const auto protocol = make_graph_protocol(
      "inductive_attach", {slice(all, 0, 24), slice(all, 24, 36), std::nullopt}, graphs);
  Parameters parameters;
  const Model model(testing_support::make<Gnn>("gcn", two_layers), "gnn/gcn", {}, 22, 2, 4, 1,
                    parameters);
  const at::Tensor together = protocol->test(model, slice(all, 36, 60));
  EXPECT_EQ(together.size(0), 24);
  for (std::int64_t i = 0; i < 24; ++i) {
    const at::Tensor alone = protocol->test(model, slice(all, 36 + i, 37 + i));
    EXPECT_LT(golden::error(alone[0], together[i]), rounding) << i;
  }
}

}  // namespace
}  // namespace espalier
