#include "train/nodes.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/tensor.h>
#include <gmock/gmock.h>

#include <espalier/core/error.hpp>

#include "graph/golden.hpp"
#include "plugins/plugin_support.hpp"

namespace espalier {
namespace {

using testing::HasSubstr;
using testing_support::error_of;
using testing_support::make;

at::Tensor images() { return golden::Case("gnn/graphs")["x"].slice(0, 0, 10); }
at::Tensor texts() { return golden::Case("gnn/graphs")["x"].slice(0, 10, 20).slice(1, 0, 6); }
at::Tensor twins() { return golden::Case("gnn/graphs")["x"].slice(0, 10, 20); }

TEST(Fuse, GivesEachNodeWhatItsModeSays) {
  EXPECT_TRUE(fuse({.fuse = "image", .normalize = false}, images(), {}, false).x.equal(images()));
  EXPECT_TRUE(fuse({.fuse = "text", .normalize = false}, {}, texts(), false).x.equal(texts()));
  const Nodes mean = fuse({.fuse = "mean", .normalize = false}, images(), twins(), true);
  EXPECT_TRUE(mean.x.equal((images() + twins()) / 2));
  const Nodes concat = fuse({.fuse = "concat", .normalize = false}, images(), texts(), false);
  EXPECT_TRUE(concat.x.slice(1, 0, 16).equal(images()));
  EXPECT_TRUE(concat.x.slice(1, 16).equal(texts()));
  EXPECT_EQ(concat.samples(), 10);
}

TEST(Fuse, NormalizesEachModalityByItself) {
  const Nodes concat = fuse({.fuse = "concat"}, images() * 100, texts(), false);
  for (const at::Tensor& part : {concat.x.slice(1, 0, 16), concat.x.slice(1, 16)}) {
    const at::Tensor length = at::linalg_vector_norm(part, 2, at::IntArrayRef{1});
    EXPECT_LT((length - 1).abs().max().item<double>(), 1e-6);
  }
}

TEST(Fuse, BimodalKeepsSpacesApartThatAreNotShared) {
  const Nodes apart = fuse({.fuse = "bimodal"}, images(), texts(), false);
  EXPECT_EQ(apart.views, 2);
  EXPECT_EQ(apart.samples(), 10);
  EXPECT_EQ(apart.x.size(1), 22);
  EXPECT_EQ(apart.view(0).matmul(apart.view(1).t()).abs().max().item<double>(), 0);
  EXPECT_EQ(fuse({.fuse = "bimodal"}, images(), twins(), true).x.size(1), 16);
}

TEST(Fuse, AMeanOfDifferentWidthsIsRefused) {
  EXPECT_THAT(error_of([] { (void)fuse({.fuse = "mean"}, images(), texts(), false); }),
              HasSubstr("16 and 6"));
}

TEST(Nodes, JoinAndSliceKeepTheNodesOfASampleTogether) {
  const Nodes all = fuse({.fuse = "bimodal"}, images(), texts(), false);
  const Nodes again = join(slice(all, 0, 4), slice(all, 4, 10));
  EXPECT_TRUE(again.x.equal(all.x));
  const Nodes padded = slice(all, 8, 12);
  EXPECT_EQ(padded.samples(), 4);
  EXPECT_TRUE(padded.view(1).slice(0, 0, 2).equal(all.view(1).slice(0, 8)));
  EXPECT_EQ(padded.view(1).slice(0, 2).abs().max().item<double>(), 0);
}

TEST(NodeGraphs, BimodalHasPairEdgesAndSimilarityWithinEachModality) {
  const Nodes nodes = fuse({.fuse = "bimodal"}, images(), texts(), false);
  const auto builder = make<GraphBuilder>("knn", {{"k", 2}, {"symmetry", "directed"}});
  const CsrGraph graph = NodeGraphs(*builder, "graph/knn", false).build(nodes);
  EXPECT_EQ(error_of([&] { check_canonical(graph); }), "");
  EXPECT_EQ(graph.edges(), 20 * 2 + 20);
  for (const Edge& edge : edges_of(graph)) {
    const bool across = (edge.target < 10) != (edge.source < 10);
    EXPECT_EQ(across, edge.target % 10 == edge.source % 10 && edge.target != edge.source);
    EXPECT_EQ(edge.relation, across ? (edge.target < 10 ? 3 : 2) : (edge.target < 10 ? 0 : 1));
    EXPECT_TRUE(!across || edge.weight == 1.0F);
  }
}

TEST(NodeGraphs, PairsCanBeLeftOut) {
  const Nodes nodes = fuse({.fuse = "bimodal"}, images(), texts(), false);
  const auto builder = make<GraphBuilder>("knn", {{"k", 2}, {"symmetry", "directed"}});
  const CsrGraph graph = NodeGraphs(*builder, "graph/knn", false).build(nodes);
  EXPECT_EQ(without_pairs(graph, 10).edges(), 20 * 2);
}

TEST(NodeGraphs, InASharedSpaceSimilarityRunsAcross) {
  const Nodes nodes = fuse({.fuse = "bimodal"}, images(), twins(), true);
  const auto builder = make<GraphBuilder>("threshold", {{"tau", -1.0}});
  const CsrGraph graph = NodeGraphs(*builder, "graph/threshold", true).build(nodes);
  EXPECT_EQ(graph.edges(), 20 * 19);
}

TEST(NodeGraphs, AQueryOfTwoNodesSeesItsOwnPairAndTheSupportAlone) {
  const Nodes all = fuse({.fuse = "bimodal"}, images(), texts(), false);
  const Nodes support = slice(all, 0, 7);
  const auto builder = make<GraphBuilder>("knn", {{"k", 2}});
  const NodeGraphs graphs(*builder, "graph/knn", false);
  const CsrGraph square = graphs.build(support);
  const CsrGraph graph = graphs.attach(support, in_degree(square), slice(all, 7, 10));
  EXPECT_EQ(graph.targets, 6);
  EXPECT_EQ(graph.sources, 14 + 6);
  EXPECT_FALSE(graph.square());
  for (const Edge& edge : edges_of(graph)) {
    if (edge.source < 14) {
      EXPECT_EQ(edge.target < 3, edge.source < 7) << "similarity stays within a modality";
    } else {
      EXPECT_EQ(edge.source - 14, (edge.target + 3) % 6) << "only the pair";
    }
  }
  EXPECT_EQ(graph.source_degree.numel(), 20);
  EXPECT_TRUE(graph.source_degree.slice(0, 0, 14).equal(in_degree(square)));
}

TEST(NodeGraphs, AsManyQueriesAsSupportNodesAreNotTakenForThem) {
  const Nodes nodes = fuse({.fuse = "image"}, images(), {}, false);
  const auto builder = make<GraphBuilder>("knn", {{"k", 2}});
  const NodeGraphs graphs(*builder, "graph/knn", false);
  const CsrGraph graph = graphs.attach(nodes, in_degree(graphs.build(nodes)), nodes);
  EXPECT_FALSE(graph.square());
  for (std::int64_t i = 0; i < 10; ++i) {
    const auto first = graph.rowptr[i].item<std::int64_t>();
    const at::Tensor own = graph.col.slice(0, first, first + 2) == i;
    EXPECT_TRUE(own.any().item<bool>()) << "the nearest support node of a copy is its original";
  }
}

class Broken final : public GraphBuilder {
 public:
  CsrGraph build(const at::Tensor& x) const override { return empty_graph(x.size(0) + 1, 3); }
  CsrGraph attach(const at::Tensor& s, const at::Tensor& q) const override {
    CsrGraph graph = graph_from_edges(q.size(0), s.size(0), {{0, 1, 1.0F}, {0, 2, 1.0F}});
    graph.col[0] = 2;
    return graph;
  }
};

TEST(NodeGraphs, ABuilderThatBreaksItsContractIsNamed) {
  const Broken builder;
  const NodeGraphs graphs(builder, "graph/broken", false);
  const Nodes nodes = fuse({}, images(), {}, false);
  EXPECT_THAT(error_of([&] { (void)graphs.build(nodes); }),
              testing::AllOf(HasSubstr("graph/broken"), HasSubstr("build"),
                             HasSubstr("10 targets, 10 sources")));
  EXPECT_THAT(error_of([&] { (void)graphs.attach(nodes, {}, nodes); }),
              testing::AllOf(HasSubstr("graph/broken"), HasSubstr("ascend")));
}

}  // namespace
}  // namespace espalier
