#include "train/node_graphs.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <gmock/gmock.h>

#include <espalier/core/error.hpp>

#include "train/small_world.hpp"

namespace espalier {
namespace {

using small_world::range;
using testing::HasSubstr;
using testing_support::error_of;
using testing_support::make;

// Ten samples with an image and a text each, of one width or of two.
struct Pairs {
  explicit Pairs(bool shared_space) : shared(shared_space) {
    const at::Tensor x = golden::Case("gnn/graphs")["x"];
    const std::int64_t width = shared ? 16 : 6;
    sources.images = std::make_shared<FrozenSource>(x.slice(0, 0, 10), range(0, 10));
    sources.texts =
        std::make_shared<FrozenSource>(x.slice(0, 10, 20).slice(1, 0, width), range(0, 10));
    fusion = make_fusion({.fuse = "bimodal"}, {16, width}, shared);
  }

  [[nodiscard]] GraphMaker maker(const std::string& name, const Json& params) const {
    return {.builder = make<GraphBuilder>(name, params),
            .name = "graph/" + name,
            .shared_space = shared,
            .nodes = [this](std::span<const std::size_t> samples) -> FrozenNodes {
              return {
                  .nodes = (*fusion)(values_of(sources, samples, {})), .others = {}, .texts = {}};
            }};
  }

  bool shared;
  Sources sources;
  std::shared_ptr<Fusion> fusion;
};

TEST(NodeGraph, BimodalHasPairEdgesAndSimilarityWithinEachModality) {
  const Pairs pairs(false);
  const CsrGraph graph =
      NodeGraph(pairs.maker("knn", {{"k", 2}, {"symmetry", "directed"}}), range(0, 10)).graph();
  EXPECT_EQ(error_of([&] { check_canonical(graph); }), "");
  EXPECT_EQ(graph.edges(), 20 * 2 + 20);
  for (const Edge& edge : edges_of(graph)) {
    const bool across = (edge.target < 10) != (edge.source < 10);
    EXPECT_EQ(across, edge.target % 10 == edge.source % 10 && edge.target != edge.source);
    EXPECT_EQ(edge.relation, across ? (edge.target < 10 ? 3 : 2) : (edge.target < 10 ? 0 : 1));
    EXPECT_TRUE(!across || edge.weight == 1.0F);
  }
  EXPECT_EQ(without_pairs(graph, 10).edges(), 20 * 2);
}

TEST(NodeGraph, InASharedSpaceSimilarityRunsAcross) {
  const Pairs pairs(true);
  const NodeGraph graph(pairs.maker("threshold", {{"tau", -1.0}}), range(0, 10));
  EXPECT_EQ(graph.graph().edges(), 20 * 19);
}

TEST(NodeGraph, AQueryOfTwoNodesSeesItsOwnPairAndTheSupportAlone) {
  const Pairs pairs(false);
  const NodeGraph support(pairs.maker("knn", {{"k", 2}}), range(0, 7));
  const CsrGraph graph = support.attach(range(7, 10));
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
  EXPECT_TRUE(graph.source_degree.slice(0, 0, 14).equal(in_degree(support.graph())));
}

GraphMaker of_images(std::shared_ptr<const GraphBuilder> builder, const std::string& name) {
  const at::Tensor x = golden::Case("gnn/graphs")["x"];
  return {.builder = std::move(builder),
          .name = name,
          .nodes = [x](std::span<const std::size_t> samples) -> FrozenNodes {
            std::vector<at::Tensor> rows;
            FrozenNodes from;
            for (const std::size_t i : samples) {
              const auto row = static_cast<std::int64_t>(i);
              rows.push_back(x.slice(0, row, row + 1));
              from.texts.push_back("caption " + std::to_string(i));
              from.ids.push_back("id " + std::to_string(i));
            }
            from.nodes.x = at::cat(rows);
            from.others = from.nodes.x * 2;
            return from;
          },
          .known_ids = {"id 0", "id 1"}};
}

TEST(NodeGraph, AsManyQueriesAsSupportNodesAreNotTakenForThem) {
  const NodeGraph support(of_images(make<GraphBuilder>("knn", {{"k", 2}}), "graph/knn"),
                          range(0, 10));
  const CsrGraph graph = support.attach(range(0, 10));
  EXPECT_FALSE(graph.square());
  for (std::int64_t i = 0; i < 10; ++i) {
    const auto first = graph.rowptr[i].item<std::int64_t>();
    const at::Tensor own = graph.col.slice(0, first, first + 2) == i;
    EXPECT_TRUE(own.any().item<bool>()) << "the nearest support node of a copy is its original";
  }
}

// Keeps what it is given.
class Listener final : public GraphBuilder {
 public:
  struct Heard {
    std::vector<at::Tensor> others;
    std::vector<std::vector<std::string>> texts;
    std::vector<std::vector<std::string>> ids;
    std::vector<std::int64_t> fits;
  };

  std::unique_ptr<GraphSupport> support(const GraphInput& nodes) const override {
    listen(nodes);
    return std::make_unique<Support>(*this, nodes.nodes());
  }
  void listen(const GraphInput& input) const {
    heard->others.push_back(input.other);
    heard->texts.emplace_back(input.texts.begin(), input.texts.end());
    heard->ids.emplace_back(input.ids.begin(), input.ids.end());
    heard->fits.push_back(input.fit);
    EXPECT_EQ(input.known_ids.size(), 2U);
  }

  std::shared_ptr<Heard> heard = std::make_shared<Heard>();

 private:
  class Support final : public GraphSupport {
   public:
    Support(const Listener& owner, std::int64_t nodes)
        : owner_(owner), graph_(empty_graph(nodes, nodes)) {}
    const CsrGraph& graph() const override { return graph_; }
    CsrGraph attach(const GraphInput& queries) const override {
      owner_.listen(queries);
      return empty_graph(queries.nodes(), graph_.targets);
    }

   private:
    const Listener& owner_;
    CsrGraph graph_;
  };
};

TEST(NodeGraph, BuildersReadTheOtherModalityAndCaptionsAsWell) {
  const auto listener = std::make_shared<Listener>();
  const NodeGraph support(of_images(listener, "graph/listener"), range(0, 3));
  (void)support.attach(range(3, 5));
  ASSERT_EQ(listener->heard->others.size(), 2U) << "the support is made once";
  EXPECT_EQ(listener->heard->others[0].size(0), 3);
  EXPECT_THAT(listener->heard->texts[1], testing::ElementsAre("caption 3", "caption 4"));
  EXPECT_THAT(listener->heard->ids[1], testing::ElementsAre("id 3", "id 4"));
}

TEST(NodeGraph, SaysHowManyOfItsSamplesAreTrainingOnes) {
  const auto listener = std::make_shared<Listener>();
  (void)NodeGraph(of_images(listener, "graph/listener"), range(0, 9), 4);
  EXPECT_THAT(listener->heard->fits, testing::ElementsAre(4));
  // What is centred does not move when samples beyond the training ones do.
  const auto centred = make<GraphBuilder>("threshold", {{"tau", 0.3}, {"centre", true}});
  const at::Tensor x = golden::Case("gnn/graphs")["x"];
  at::Tensor moved = x.clone();
  moved.slice(0, 40) += 5;
  const CsrGraph before = centred->support({.features = x, .fit = 40})->graph();
  const CsrGraph after = centred->support({.features = moved, .fit = 40})->graph();
  const auto among_training = [](const CsrGraph& graph) {
    std::vector<Edge> edges = edges_of(graph);
    std::erase_if(edges, [](const Edge& e) { return e.target >= 40 || e.source >= 40; });
    return graph_from_edges(40, 40, std::move(edges));
  };
  EXPECT_TRUE(among_training(before).weight.equal(among_training(after).weight));
}

TEST(NodeGraph, MultiplexTellsModalitiesApart) {
  for (const bool shared : {false, true}) {
    const Pairs pairs(shared);
    const Json params = {{"image", {{"use", "knn"}, {"k", 1}}},
                         {"text", {{"use", "knn"}, {"k", 3}}},
                         {"cross", {{"use", "knn"}, {"k", 2}}}};
    const NodeGraph support(pairs.maker("multiplex", params), range(0, 10));
    const auto of_relation = [&](const CsrGraph& graph, int relation) {
      return (graph.relation == relation).sum().item<std::int64_t>();
    };
    EXPECT_GT(of_relation(support.graph(), 1), of_relation(support.graph(), 0));
    // Beside the pairs, which are among the two nearest or come on top.
    EXPECT_EQ(of_relation(support.graph(), 2) > 10, shared);
    const CsrGraph attached = support.attach(range(3, 7));
    EXPECT_EQ(attached.targets, 8);
    EXPECT_EQ(of_relation(attached, 1), 4 * 3);
  }
}

class Broken final : public GraphBuilder {
 public:
  explicit Broken(std::int64_t surplus) : surplus_(surplus) {}
  std::unique_ptr<GraphSupport> support(const GraphInput& nodes) const override {
    return std::make_unique<Support>(nodes.nodes() + surplus_);
  }

 private:
  class Support final : public GraphSupport {
   public:
    explicit Support(std::int64_t nodes) : graph_(empty_graph(nodes, nodes)) {}
    const CsrGraph& graph() const override { return graph_; }
    CsrGraph attach(const GraphInput& queries) const override {
      CsrGraph graph =
          graph_from_edges(queries.nodes(), graph_.targets, {{0, 1, 1.0F}, {0, 2, 1.0F}});
      graph.col[0] = 2;
      return graph;
    }

   private:
    CsrGraph graph_;
  };

  std::int64_t surplus_;
};

TEST(NodeGraph, ABuilderThatBreaksItsContractIsNamed) {
  EXPECT_THAT(error_of([&] {
                (void)NodeGraph(of_images(std::make_shared<Broken>(1), "graph/broken"),
                                range(0, 10));
              }),
              testing::AllOf(HasSubstr("graph/broken"), HasSubstr("support"),
                             HasSubstr("10 targets, 10 sources")));
  const NodeGraph support(of_images(std::make_shared<Broken>(0), "graph/broken"), range(0, 10));
  EXPECT_THAT(error_of([&] { (void)support.attach(range(0, 10)); }),
              testing::AllOf(HasSubstr("graph/broken"), HasSubstr("attach"), HasSubstr("ascend")));
}

}  // namespace
}  // namespace espalier
