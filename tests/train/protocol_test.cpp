#include "train/protocol.hpp"

#include <ATen/Parallel.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/flip.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>

#include <algorithm>

#include "libtorch_threads.hpp"
#include "train/small_world.hpp"

namespace espalier {
namespace {

using small_world::Data;
using small_world::range;
using small_world::World;

const Json two_layers = {{"layers", 2}, {"hidden", 8}};

// Rows of a matrix, by number.
at::Tensor pick(const at::Tensor& rows, const Samples& order) {
  std::vector<at::Tensor> picked;
  for (const std::size_t i : order) picked.push_back(rows[static_cast<std::int64_t>(i)]);
  return at::stack(picked);
}

Samples shuffled(std::size_t count) {
  Samples order;
  for (std::size_t i = 0; i < count; ++i) order.push_back((i * 13 + 5) % count);
  return order;
}

// Networks that look at neighbours in different ways.
struct Kind {
  const char* gnn;
  Json params;
};
const std::vector<Kind> kinds = {{"gcn", two_layers},
                                 {"ga_net", {{"layer", {{"use", "gcn"}}}, {"bottleneck", 8}}},
                                 {"gat", {{"layers", 2}, {"hidden", 10}, {"heads", 2}}},
                                 {"transformer", {{"layers", 2}, {"hidden", 9}}},
                                 {"sage", {{"layers", 2}, {"hidden", 7}, {"aggregate", "max"}}},
                                 {"mlp", two_layers}};

// A query's logits are the same bits alone, in batches of any size, and in any order. Widths that
// no vector register divides, since products and sums treat their rests apart.
TEST(InductiveAttach, DoesNotDependOnTheOtherQueries) {
  for (const Kind& kind : kinds) {
    for (const char* protocol : {"inductive_attach", "none"}) {
      const World world(protocol, kind.gnn, kind.params);
      const at::Tensor all = world.answers(range(0, 60));
      for (const std::size_t size : {1, 7, 64}) {
        for (std::size_t first = 0; first < 60; first += size) {
          const Samples some = range(first, std::min<std::size_t>(first + size, 60));
          EXPECT_TRUE(world.answers(some).equal(pick(all, some))) << kind.gnn << size << first;
        }
      }
      EXPECT_TRUE(world.answers(shuffled(60)).equal(pick(all, shuffled(60)))) << kind.gnn;
    }
  }
}

// At more nodes than blocks are for queries are asked one by one, on all threads.
TEST(InductiveAttach, OfManyNodesDoesNotDependOnTheOtherQueriesOrOnThreads) {
  Data data;
  Random random(std::uint64_t{4});
  data.x = uniform_init({2180, 16}, 1.0, random);
  data.train = range(0, 2100);
  const Samples queries = range(2100, 2180);
  for (const Kind& kind : kinds) {
    const World world("inductive_attach", kind.gnn, kind.params, 1, {}, data);
    const int before = at::get_num_threads();
    testing_support::set_threads(1);
    const at::Tensor all = world.answers(queries);
    testing_support::set_threads(3);
    EXPECT_TRUE(world.answers(queries).equal(all)) << kind.gnn;
    testing_support::set_threads(before);
    for (std::size_t q = 0; q < 80; q += 11) {
      EXPECT_TRUE(world.answers({queries[q]}).equal(pick(all, {q}))) << kind.gnn << q;
    }
  }
}

TEST(InductiveAttach, RemovingAQueryChangesNoOther) {
  const World world("inductive_attach", "gcn", two_layers);
  const at::Tensor all = world.answers(world.data.test);
  for (std::size_t gone = 0; gone < 24; ++gone) {
    Samples rest = world.data.test;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(gone));
    Samples others = range(0, 24);
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(gone));
    EXPECT_TRUE(world.answers(rest).equal(pick(all, others))) << gone;
  }
}

// By itself a query is computed from its neighbours alone; with the others, from all training
// nodes.
TEST(InductiveAttach, AQueryByItselfHasTheLogitsThatItHasAmongOthers) {
  for (const Kind& kind : kinds) {
    const World world("inductive_attach", kind.gnn, kind.params);
    StateBank bank;
    const std::vector<Scene> scenes = world.protocol->scenes(world.data.test);
    const at::Tensor together = Evaluation(world.network, world.sources, *world.protocol, bank)
                                    .answers_together(scenes, 24);
    // Sums of the same terms in another order.
    EXPECT_LT(golden::error(world.answers(world.data.test), together), 1e-6) << kind.gnn;
  }
}

// Ten times the queries, each with edges to the same few nodes: what is computed for one of them
// has the size of its own neighbourhood.
TEST(InductiveAttach, AQueryIsComputedFromItsNeighboursAlone) {
  const World world("inductive_attach", "gcn", two_layers);
  const std::vector<Scene> scenes = world.protocol->scenes(world.data.test);
  ASSERT_EQ(scenes.size(), 1U);
  const CsrGraph& whole = scenes[0].graph;
  const auto* const rowptr = whole.rowptr.data_ptr<std::int64_t>();
  for (std::int64_t q = 0; q < 24; ++q) {
    const QueryGraph one = query_graph(whole, q, 1, 24);
    EXPECT_EQ(one.graph.targets, 1);
    EXPECT_EQ(one.graph.sources, rowptr[q + 1] - rowptr[q]);
    EXPECT_TRUE(one.graph.weight.equal(whole.weight.slice(0, rowptr[q], rowptr[q + 1])));
    EXPECT_TRUE(one.neighbours.equal(whole.col.slice(0, rowptr[q], rowptr[q + 1])));
  }
}

TEST(InductiveAttach, TheTrainingGraphIsOfTrainingNodesAlone) {
  const World world("inductive_attach", "gcn", two_layers);
  Data other;
  other.x = at::cat({other.x.slice(0, 0, 24), other.x.slice(0, 24) * -3});
  const World changed("inductive_attach", "gcn", two_layers, 1, {}, other);
  const CsrGraph& graph = world.protocol->training().graph;
  EXPECT_EQ(graph.targets, 24);
  EXPECT_TRUE(graph.col.equal(changed.protocol->training().graph.col));
  EXPECT_TRUE(graph.weight.equal(changed.protocol->training().graph.weight));
}

// The union graph, built by hand: support nodes keep their edges, the query only receives.
TEST(InductiveAttach, IsTheUnionGraphInWhichQueriesOnlyReceive) {
  const World world("inductive_attach", "gcn", two_layers);
  const std::size_t query = 39;
  const auto support = world.maker.builder->support({.features = world.data.x.slice(0, 0, 24)});
  std::vector<Edge> edges = edges_of(world.protocol->training().graph);
  for (Edge edge :
       edges_of(support->attach({.features = world.data.x.slice(0, query, query + 1)}))) {
    edge.target = 24;
    edges.push_back(edge);
  }
  const CsrGraph whole = graph_from_edges(25, 25, std::move(edges));
  Samples both = world.data.train;
  both.push_back(query);
  const at::Tensor expected =
      world.network.scores(whole, values_of(world.sources, both, {}), {}).logits[24];
  // Sums of the same terms in another order.
  EXPECT_LT(golden::error(world.answers({query})[0], expected), 1e-5);
}

TEST(InductiveBatch, DependsOnTheOtherQueriesAndSaysSo) {
  const World world("inductive_batch", "gcn", two_layers);
  const at::Tensor all = world.answers(world.data.test);
  EXPECT_EQ(all.size(0), 24);
  EXPECT_FALSE(world.answers({36})[0].equal(all[0])) << "if equal, the batch was not joined";
  EXPECT_EQ(world.protocol->training().graph.targets, 24);
}

// 240 queries of 4 classes, listed class by class or in another order, always under the same ids.
struct Listed {
  explicit Listed(std::vector<std::size_t> order) : ids(std::move(order)) {
    Random random(std::uint64_t{3});
    x = at::zeros({240, 6});
    for (std::int64_t i = 0; i < x.numel(); ++i) {
      x.data_ptr<float>()[i] = static_cast<float>(random.normal());
    }
    x = pick(x, ids);
  }
  // The queries of each scene, by id.
  [[nodiscard]] std::vector<std::vector<std::size_t>> batches(std::int64_t seed) const {
    const GraphMaker maker{.builder = testing_support::make<GraphBuilder>("knn", {{"k", 4}}),
                           .name = "graph/knn",
                           .nodes = [this](std::span<const std::size_t> samples) -> FrozenNodes {
                             const Samples list(samples.begin(), samples.end());
                             return {
                                 .nodes = {.x = list.empty() ? x.slice(0, 0, 0) : pick(x, list)},
                                 .others = {},
                                 .texts = {}};
                           }};
    const auto id_of = [this](std::size_t sample) {
      return "query-" + std::to_string(ids[sample]);
    };
    std::vector<std::vector<std::size_t>> all;
    const auto protocol = inductive_batch({}, maker, id_of, seed);
    for (const Scene& scene : protocol->scenes(range(0, 240))) {
      all.emplace_back();
      for (const std::size_t sample : scene.samples) all.back().push_back(ids[sample]);
    }
    return all;
  }

  Samples ids;
  at::Tensor x;
};

Samples upwards() { return range(0, 240); }

// The planted leak: sixty queries of a class stand together in the data, as datasets list them.
// Whoever batched them in that order would have a batch say which class it is of: a query's
// companions would all share its label. Drawn, they share it as often as chance has it.
TEST(InductiveBatch, DoesNotPutTheQueriesOfAClassTogether) {
  for (const std::int64_t seed : {1, 2, 3}) {
    double same = 0;
    double pairs = 0;
    for (const auto& batch : Listed(upwards()).batches(seed)) {
      for (const std::size_t a : batch) {
        for (const std::size_t b : batch) {
          if (a == b) continue;
          pairs += 1;
          same += a / 60 == b / 60 ? 1 : 0;
        }
      }
    }
    EXPECT_LT(same / pairs, 0.3) << "a quarter by chance, 0.9 in the order of the data";
  }
}

// The same batches in the same order, whatever the order of the data; another seed draws others.
TEST(InductiveBatch, KnowsSamplesByTheirIdsAlone) {
  const auto batches = Listed(upwards()).batches(1);
  Samples backwards = upwards();
  std::reverse(backwards.begin(), backwards.end());
  EXPECT_EQ(Listed(backwards).batches(1), batches);
  Samples mixed;
  for (std::size_t i = 0; i < 240; ++i) mixed.push_back((i * 77 + 5) % 240);
  EXPECT_EQ(Listed(mixed).batches(1), batches);
  EXPECT_NE(Listed(upwards()).batches(2), batches);
}

// And so the answers: to the last bit, by sample.
TEST(InductiveBatch, AnswersTheSameWhateverTheOrderOfTheQueries) {
  const World world("inductive_batch", "gcn", two_layers);
  Samples turned = world.data.test;
  std::reverse(turned.begin(), turned.end());
  EXPECT_TRUE(world.answers(turned).equal(world.answers(world.data.test).flip(0)));
}

TEST(Transductive, AllNodesShareOneGraph) {
  const World world("transductive", "gcn", two_layers);
  EXPECT_EQ(world.protocol->training().graph.targets, 60);
  EXPECT_EQ(world.trained().size(0), 24);
  EXPECT_EQ(world.answers(world.data.val).size(0), 12);
  const at::Tensor test = world.answers(world.data.test);
  EXPECT_EQ(test.size(0), 24);
  EXPECT_TRUE(world.answers({59, 36}).equal(pick(test, {23, 0}))) << "one graph, one answer";
}

TEST(NoGraph, HasNoEdgesWhateverANodeIs) {
  const std::unique_ptr<Protocol> protocol = no_graph(range(0, 24), 2);
  EXPECT_EQ(protocol->training().graph.targets, 48) << "two nodes a sample";
  EXPECT_EQ(protocol->training().graph.edges(), 0) << "and no pair edge";
  for (const Scene& scene : protocol->scenes(range(24, 60))) EXPECT_EQ(scene.graph.edges(), 0);
}

TEST(NoGraph, AQueryIsTreatedAsATrainingNodeIs) {
  const World world("none", "mlp", {{"layers", 2}, {"hidden", 8}});
  EXPECT_LT(golden::error(world.answers(world.data.train), world.trained()), 1e-6);
}

TEST(Scenes, AskEveryQueryOnce) {
  for (const char* name : {"none", "inductive_attach", "inductive_batch", "transductive"}) {
    const World world(name, "gcn", two_layers);
    const Samples queries = name == std::string("transductive") ? shuffled(60) : range(0, 60);
    Samples found(60, 999);
    for (const Scene& scene : world.protocol->scenes(queries)) {
      const Samples& samples =
          scene.standing == Standing::inside ? world.protocol->training().samples : scene.samples;
      ASSERT_EQ(scene.asked.size(), scene.queries.size());
      for (std::size_t i = 0; i < scene.asked.size(); ++i) {
        found[static_cast<std::size_t>(scene.queries[i])] =
            samples[static_cast<std::size_t>(scene.asked[i])];
      }
    }
    EXPECT_EQ(found, queries) << name;
  }
}

// Bimodal queries see their own pair edge, in every block size.
TEST(InductiveAttach, OfTwoNodesASampleDoesNotDependOnTheOtherQueries) {
  const Data data;
  const Sources sources{
      .images = std::make_shared<FrozenSource>(data.x, range(0, 60)),
      .texts = std::make_shared<FrozenSource>(data.x.slice(1, 0, 6).contiguous(), range(0, 60))};
  const std::shared_ptr<Fusion> fusion =
      make_fusion({.fuse = "bimodal"}, {.images = 16, .texts = 6}, false);
  const auto protocol = inductive_attach(
      range(0, 24),
      {.builder = testing_support::make<GraphBuilder>("knn", Json{{"k", 3}}),
       .name = "graph/knn",
       .nodes = [&](std::span<const std::size_t> samples) -> FrozenNodes {
         return {.nodes = (*fusion)(values_of(sources, samples, {})), .others = {}, .texts = {}};
       }});
  Parameters parameters;
  const Network network(
      {fusion, testing_support::make<Gnn>("gcn", two_layers), "gnn/gcn", make_head({}, {})}, 4, 1,
      parameters);
  const auto answers = [&](const Samples& queries) {
    StateBank bank;
    return Evaluation(network, sources, *protocol, bank)
        .answers(protocol->scenes(queries), std::ssize(queries));
  };
  const at::Tensor together = answers(range(36, 60));
  for (std::size_t i = 0; i < 24; ++i) {
    EXPECT_TRUE(answers({36 + i})[0].equal(together[static_cast<std::int64_t>(i)])) << i;
  }
}

// The same world with its samples numbered in another way: `order[i]` is the old number of the new
// sample i. Training samples stay training samples.
Data renumbered(const Samples& order) {
  Data data;
  data.x = pick(data.x, order);
  const auto place = [&](const Samples& of) {
    Samples places;
    for (const std::size_t sample : of) {
      places.push_back(
          static_cast<std::size_t>(std::find(order.begin(), order.end(), sample) - order.begin()));
    }
    return places;
  };
  data.train = place(data.train);
  data.val = place(data.val);
  data.test = place(data.test);
  return data;
}

// What the number of a sample in the dataset is changes nothing: the samples are asked in one
// order.
TEST(Protocols, PermutingTheRowsOfTheDatasetChangesNothing) {
  for (const char* name : {"none", "inductive_attach", "transductive"}) {
    const World world(name, "gcn", two_layers);
    const World other(name, "gcn", two_layers, 1, {}, renumbered(shuffled(60)));
    EXPECT_TRUE(world.trained().equal(other.trained())) << name;
    EXPECT_TRUE(world.answers(world.data.test).equal(other.answers(other.data.test))) << name;
  }
}

// Training nodes in another order: the same logits, to the rounding of sums in another order, each
// at its new place.
TEST(Protocols, PermutingTheNodesPermutesTheOutputs) {
  for (const char* name : {"none", "inductive_attach", "transductive"}) {
    const World world(name, "gcn", two_layers);
    Data turned;
    std::reverse(turned.train.begin(), turned.train.end());
    const World other(name, "gcn", two_layers, 1, {}, turned);
    EXPECT_LT(golden::error(other.trained(), world.trained().flip(0)), 1e-5) << name;
    EXPECT_LT(golden::error(other.answers(world.data.test), world.answers(world.data.test)), 1e-5)
        << name;
  }
}

}  // namespace
}  // namespace espalier
