// Nodes of classes in the graphs of trials.
#include "train/class_nodes.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/tensor.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include "train/labelled_protocol.hpp"
#include "train/pass.hpp"
#include <algorithm>
#include <cmath>
#include <tuple>

#include "train/small_world.hpp"

namespace espalier {
namespace {

using small_world::Data;
using small_world::range;
using small_world::World;
using testing::ElementsAre;

std::vector<std::tuple<int, int, int, float>> listed(const std::vector<Edge>& edges) {
  std::vector<std::tuple<int, int, int, float>> list;
  for (const Edge& e : edges) {
    list.emplace_back(e.target, e.source, e.relation, std::round(e.weight * 1000) / 1000);
  }
  std::sort(list.begin(), list.end());
  return list;
}

at::Tensor row_of(float a, float b) { return at::tensor({a, b}).view({1, 2}); }

// Two nodes, and three classes whose cosines with them are 1, 0.6, 0 and 0, 0.8, -1.
const at::Tensor two_nodes = at::cat({row_of(2, 0), row_of(0, 3)});
const at::Tensor three_classes = at::cat({row_of(1, 0), row_of(3, 4), row_of(0, -1)});

TEST(ClassNodes, AreJoinedWithTheNodesThatAreMostSimilarAndWithEachOther) {
  std::vector<Edge> edges;
  ClassNodes(three_classes, 1).join(two_nodes, 2, edges);
  EXPECT_THAT(listed(edges), ElementsAre(std::tuple(0, 2, 4, 1.0F), std::tuple(1, 3, 4, 0.8F),
                                         std::tuple(2, 0, 5, 1.0F), std::tuple(2, 3, 6, 0.6F),
                                         std::tuple(2, 4, 6, 0.0F), std::tuple(3, 1, 5, 0.8F),
                                         std::tuple(3, 2, 6, 0.6F), std::tuple(4, 2, 6, 0.0F)));
}

TEST(ClassNodes, SendToQueriesAndGetNothingFromThem) {
  std::vector<Edge> edges;
  ClassNodes(three_classes, 2).attach(row_of(0, 1), 7, edges);
  EXPECT_THAT(listed(edges), ElementsAre(std::tuple(0, 7, 4, 0.0F), std::tuple(0, 8, 4, 0.8F)));
  edges.clear();
  ClassNodes(three_classes, 9).attach(row_of(0, 1), 7, edges);
  EXPECT_EQ(edges.size(), 3U) << "there are no more";
}

TEST(ClassNodes, OfNoClassesHaveNoEdges) {
  std::vector<Edge> edges;
  const ClassNodes none;
  none.join(two_nodes, 2, edges);
  none.attach(two_nodes, 2, edges);
  EXPECT_TRUE(edges.empty());
  EXPECT_EQ(none.count(), 0);
}

// A world whose four classes have nodes, each near the mean of its samples but for noise.
struct ClassWorld : World {
  ClassWorld(const std::string& protocol_name, const std::string& gnn, const Json& params,
             std::int64_t nearest = 2, Data given = Data())
      : World("none", gnn, params, 1, {}, std::move(given)) {
    const at::Tensor labels = data.reference["labels"];
    std::vector<at::Tensor> rows;
    for (std::int64_t c = 0; c < small_world::classes; ++c) {
      rows.push_back(data.reference["x"].index({labels == c}).mean(0));
    }
    vectors = at::stack(rows);
    take_classes(nearest);
    protocol = protocol_of(protocol_name, 1);
  }
  void take_classes(std::int64_t nearest) {
    sources.classes = std::make_shared<FrozenSource>(vectors, range(0, 4));
    sources.class_count = 4;
    maker.nearest_classes = nearest;
    maker.nodes = [this](std::span<const std::size_t> samples) {
      FrozenNodes from = nodes(samples);
      from.classes = fusion->of_classes(values_of(sources, samples, {}));
      return from;
    };
  }

  at::Tensor vectors;
};

const Json two_layers = {{"layers", 2}, {"hidden", 8}};

TEST(ClassNodes, StandBehindTheSamplesAndTheBuilderDoesNotSeeThem) {
  const ClassWorld world("inductive_attach", "gcn", two_layers);
  const World without("inductive_attach", "gcn", two_layers);
  const CsrGraph& graph = world.protocol->training().graph;
  EXPECT_EQ(graph.targets, 24 + 4);
  EXPECT_EQ(graph.facts.at("class_nodes"), 4);
  EXPECT_EQ(graph.facts.at("k"), 4);
  check_canonical(graph);
  std::vector<Edge> between_samples;
  for (const Edge& e : edges_of(graph)) {
    const bool target = e.target >= 24, source = e.source >= 24;
    EXPECT_EQ(e.relation, target ? (source ? 6 : 5) : (source ? 4 : 0));
    if (!target && !source) between_samples.push_back(e);
  }
  const CsrGraph same = graph_from_edges(24, 24, between_samples);
  const CsrGraph& builders = without.protocol->training().graph;
  EXPECT_TRUE(same.col.equal(builders.col) && same.weight.equal(builders.weight));
}

// The states of appnp's one step, by hand: two nodes that the builder leaves alone, with a class
// each. Degrees count a loop of weight 1.
TEST(ClassNodes, SendTheirValuesAsAnyNodeDoes) {
  const at::Tensor classes = at::cat({row_of(0.8F, 0.6F), row_of(0.6F, 0.8F)});
  const at::Tensor samples = at::cat({row_of(1, 0), row_of(0, 1), row_of(1, 0)});
  const Sources sources{.images = std::make_shared<FrozenSource>(samples, range(0, 3)),
                        .classes = std::make_shared<FrozenSource>(classes, range(0, 2)),
                        .class_count = 2};
  const std::shared_ptr<Fusion> fusion = make_fusion({}, {.images = 2}, true);
  const GraphMaker maker{.builder = testing_support::make<GraphBuilder>("none"),
                         .name = "graph/none",
                         .nodes = [&](std::span<const std::size_t> some) -> FrozenNodes {
                           const Values values = values_of(sources, some, {});
                           return {.nodes = (*fusion)(values),
                                   .classes = fusion->of_classes(values)};
                         },
                         .nearest_classes = 1};
  const auto protocol = inductive_attach({0, 1}, maker);
  Parameters parameters;
  const Json params = {{"layers", 0}, {"steps", 1}, {"alpha", 0.5}};
  const Network network({.fusion = fusion,
                         .gnn = testing_support::make<Gnn>("appnp", params),
                         .gnn_name = "gnn/appnp",
                         .head = make_head({}, {})},
                        2, 1, parameters);
  const Values values = values_of(sources, range(0, 2), {});
  const at::Tensor states = network.scores(protocol->training().graph, values, {}).features;
  const double own = 1 + 0.8, of_class = 1 + 0.8 + 0.96, sent = 0.8 / std::sqrt(own * of_class);
  const auto near = [&](const at::Tensor& state, double a, double b) {
    EXPECT_NEAR(state[0].item<double>(), a, 1e-6);
    EXPECT_NEAR(state[1].item<double>(), b, 1e-6);
  };
  ASSERT_EQ(states.size(0), 2) << "classes are not asked";
  near(states[0], (1 / own + sent * 0.8) / 2 + 0.5, sent * 0.6 / 2);
  near(states[1], sent * 0.6 / 2, (1 / own + sent * 0.8) / 2 + 0.5);
  // Attached, a copy of the first sample has the same neighbour with the same degrees.
  const std::vector<Scene> scenes = protocol->scenes(Samples{2});
  StateBank bank;
  Evaluation evaluation(network, sources, *protocol, bank);
  const at::Tensor query = evaluation.judged(scenes, {0}).features;
  near(query[0], states[0][0].item<double>(), states[0][1].item<double>());
}

at::Tensor picked_rows(const at::Tensor& rows, const Samples& order) {
  std::vector<at::Tensor> list;
  for (const std::size_t i : order) list.push_back(rows[static_cast<std::int64_t>(i)]);
  return at::stack(list);
}

TEST(ClassNodes, LeaveAQueryItsBitsWhoeverElseIsAsked) {
  for (const char* gnn : {"gcn", "sage", "gat"}) {
    const ClassWorld world("inductive_attach", gnn, two_layers);
    const at::Tensor all = world.answers(range(0, 60));
    const World without("inductive_attach", gnn, two_layers);
    EXPECT_FALSE(all.allclose(without.answers(range(0, 60)))) << "they matter";
    for (const std::size_t size : {1, 7, 64}) {
      for (std::size_t first = 0; first < 60; first += size) {
        const Samples some = range(first, std::min<std::size_t>(first + size, 60));
        ASSERT_TRUE(world.answers(some).equal(picked_rows(all, some))) << gnn << size << first;
      }
    }
  }
}

TEST(ClassNodes, StandUnderEveryProtocolThatHasEdges) {
  for (const char* name : {"inductive_batch", "transductive"}) {
    const ClassWorld world(name, "gcn", two_layers);
    EXPECT_EQ(world.trained().size(0), 24);
    const at::Tensor answers = world.answers(world.data.test);
    EXPECT_EQ(answers.size(0), 24);
    const World without(name, "gcn", two_layers);
    EXPECT_FALSE(answers.allclose(without.answers(without.data.test))) << name;
  }
}

// Training nodes in another order, and classes in another order: the same answers, to the rounding
// of sums.
TEST(ClassNodes, DoNotDependOnTheOrderOfSamplesOrClasses) {
  const ClassWorld world("inductive_attach", "gcn", two_layers);
  const at::Tensor answers = world.answers(world.data.test);
  Data turned;
  std::reverse(turned.train.begin(), turned.train.end());
  const ClassWorld other("inductive_attach", "gcn", two_layers, 2, turned);
  EXPECT_LT(golden::error(other.answers(world.data.test), answers), 1e-5);
  EXPECT_LT(golden::error(other.trained(), world.trained().flip(0)), 1e-5);
  ClassWorld renamed("inductive_attach", "gcn", two_layers);
  renamed.vectors = renamed.vectors.flip(0);
  renamed.take_classes(2);
  renamed.protocol = renamed.protocol_of("inductive_attach", 1);
  EXPECT_LT(golden::error(renamed.answers(world.data.test), answers), 1e-5);
}

TEST(ClassNodes, HaveNoLabel) {
  for (const char* name : {"inductive_attach", "inductive_batch", "transductive"}) {
    const ClassWorld world(name, "gcn", two_layers);
    const auto protocol = with_labels(world.protocol_of(name, 1), world.data.labelled(0, 24), 1);
    const CsrGraph& graph = protocol->training().graph;
    ASSERT_EQ(graph.label.numel(), graph.targets);
    EXPECT_TRUE(graph.label.slice(0, graph.targets - 4).eq(-1).all().item<bool>()) << name;
    EXPECT_EQ(graph.label.ge(0).sum().item<std::int64_t>(), 24) << name;
    if (name == std::string("transductive")) continue;
    for (const Scene& scene : protocol->scenes(world.data.test)) {
      ASSERT_EQ(scene.graph.label.numel(), scene.graph.sources) << name;
      EXPECT_EQ(scene.graph.label.ge(0).sum().item<std::int64_t>(), 24) << name;
    }
  }
}

// An image node and a text node a sample, and the pair edge of a query behind the classes' nodes.
TEST(ClassNodes, AreNeighboursOfBothNodesOfASample) {
  const Data data;
  const Sources sources{
      .images = std::make_shared<FrozenSource>(data.x, range(0, 60)),
      .texts = std::make_shared<FrozenSource>(data.x.flip(0).contiguous(), range(0, 60)),
      .classes = std::make_shared<FrozenSource>(data.x.slice(0, 0, 4).contiguous(), range(0, 4)),
      .class_count = 4};
  const std::shared_ptr<Fusion> fusion =
      make_fusion({.fuse = "bimodal"}, {.images = 16, .texts = 16}, true);
  const GraphMaker maker{.builder = testing_support::make<GraphBuilder>("knn", Json{{"k", 3}}),
                         .name = "graph/knn",
                         .shared_space = true,
                         .nodes = [&](std::span<const std::size_t> samples) -> FrozenNodes {
                           const Values values = values_of(sources, samples, {});
                           return {.nodes = (*fusion)(values),
                                   .classes = fusion->of_classes(values)};
                         },
                         .nearest_classes = 2};
  const auto protocol = inductive_attach(range(0, 24), maker);
  EXPECT_EQ(protocol->training().graph.targets, 2 * 24 + 4);
  const Samples queries = range(36, 60);
  const CsrGraph graph = protocol->scenes(queries)[0].graph;
  EXPECT_EQ(graph.sources, 2 * 24 + 4 + 2 * 24);
  std::int64_t classes = 0, pairs = 0;
  for (const Edge& e : edges_of(graph)) {
    if (e.source >= 48 && e.source < 52) {
      EXPECT_EQ(e.relation, 4);
      ++classes;
    } else if (e.source >= 52) {
      EXPECT_EQ(e.source - 52, (e.target + 24) % 48) << "its own other node";
      EXPECT_EQ(e.relation, e.target < 24 ? 3 : 2);
      ++pairs;
    }
  }
  EXPECT_EQ(classes, 2 * 48);
  EXPECT_EQ(pairs, 48);
  EXPECT_LT(without_pairs(protocol->training().graph, 24).edges(),
            protocol->training().graph.edges() - 40);
  Parameters parameters;
  const Network network({fusion, testing_support::make<Gnn>("rgcn", Json{{"relations", 7}}),
                         "gnn/rgcn", make_head({}, {})},
                        4, 1, parameters);
  const auto answers = [&](const Samples& some) {
    StateBank bank;
    return Evaluation(network, sources, *protocol, bank)
        .answers(protocol->scenes(some), std::ssize(some));
  };
  const at::Tensor all = answers(queries);
  for (std::int64_t q = 0; q < 24; q += 5) {
    EXPECT_TRUE(answers({queries[static_cast<std::size_t>(q)]})[0].equal(all[q])) << q;
  }
}

// Gradients of samples' states to what classes hold, against central differences in double: 1e-7 is
// far from the rounding of steps of 1e-5 and from their curvature. The network's own, in float, are
// the same but for its rounding.
TEST(ClassNodes, PassGradientsToTheirValues) {
  const Json params = {{"layer", {{"use", "gcn"}}}, {"bottleneck", 8}};
  ClassWorld world("inductive_attach", "ga_net", params);
  const CsrGraph graph = world.protocol->training().graph;
  const auto gnn = testing_support::make<Gnn>("ga_net", params);
  Parameters parameters;
  Random random(1, "init");
  gnn->init(16, parameters, random);
  const auto draw = [](const Parameters& of, const std::string& prefix, at::ScalarType type) {
    for (const auto& [name, tensor] : of.entries()) {
      if (!name.starts_with(prefix)) continue;
      Random own(5, name.substr(prefix.size()));
      at::Tensor(tensor).set_data(uniform_init(tensor.sizes(), 0.4, own).to(type));
    }
  };
  draw(parameters, "", at::kDouble);
  draw(world.parameters, "gnn.", at::kFloat);
  CsrGraph wide = graph;
  wide.weight = graph.weight.to(at::kDouble);
  const at::Tensor samples = world.data.x.slice(0, 0, 24).to(at::kDouble);
  const auto sum_of = [&](const at::Tensor& classes) {
    const Values values{.images = samples, .classes = classes};
    const at::Tensor x = at::cat({(*world.fusion)(values).x, world.fusion->of_classes(values)});
    return run_gnn(*gnn, x, wide, {}).output.slice(0, 0, 24).tanh().sum();
  };
  const at::Tensor vectors = world.vectors.to(at::kDouble).contiguous();
  const at::Tensor classes = vectors.clone().set_requires_grad(true);
  sum_of(classes).backward();
  EXPECT_GT(classes.grad().abs().max().item<double>(), 1e-3) << "they send something";
  const double step = 1e-5;
  for (std::int64_t i = 0; i < vectors.numel(); i += 3) {
    const auto moved = [&](double by) {
      at::Tensor other = vectors.clone();
      other.view(-1)[i] += by;
      return sum_of(other).item<double>();
    };
    const double difference = (moved(step) - moved(-step)) / (2 * step);
    EXPECT_NEAR(classes.grad().view(-1)[i].item<double>(), difference, 1e-7);
  }
  const at::Tensor narrow = world.vectors.clone().set_requires_grad(true);
  const Values values{.images = samples.to(at::kFloat), .classes = narrow};
  world.network.scores(graph, values, {}).features.tanh().sum().backward();
  EXPECT_LT(golden::error(narrow.grad(), classes.grad().to(at::kFloat)), 1e-5);
}

// Class vectors that a parameter moves.
class MovedClasses final : public FeatureSource {
 public:
  MovedClasses(at::Tensor vectors, at::Tensor by) : vectors_(std::move(vectors)), by_(by) {}
  std::int64_t width() const override { return vectors_.size(1); }
  bool trained() const override { return true; }
  std::int64_t chunk() const override { return 3; }
  at::Tensor rows(std::span<const Look> looks, const Mode&) const override {
    std::vector<at::Tensor> list;
    for (const Look& look : looks) list.push_back(vectors_[static_cast<std::int64_t>(look.sample)]);
    return at::stack(list) + by_;
  }

 private:
  at::Tensor vectors_, by_;
};

TEST(ClassNodes, AreFreshInEveryPassAndTrainWhatMakesThem) {
  ClassWorld world("inductive_attach", "gcn", two_layers);
  const at::Tensor by = world.parameters.add("by", at::zeros({16}));
  world.sources.classes = std::make_shared<MovedClasses>(world.vectors, by);
  const CsrGraph& graph = world.protocol->training().graph;
  const auto loss = [&](const Values& values) {
    return world.network.scores(graph, values, {}).logits.square().sum();
  };
  StateBank bank;
  Pass pass(world.sources, bank, plain_looks(world.data.train), {});
  loss({.images = pass.values().images, .classes = world.vectors + by}).backward();
  const at::Tensor expected = by.grad().clone();
  EXPECT_GT(expected.abs().max().item<double>(), 1e-3);
  by.mutable_grad().reset();
  loss(pass.values()).backward();
  EXPECT_FALSE(by.grad().defined()) << "it stops at the values";
  pass.backward();
  EXPECT_LT(golden::error(by.grad(), expected), 1e-5);
  const at::Tensor before = world.answers(world.data.test);
  by.detach().fill_(0.5);
  EXPECT_FALSE(world.answers(world.data.test).allclose(before));
}

}  // namespace
}  // namespace espalier
