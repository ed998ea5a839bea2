#include <espalier/plugin/graph.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <espalier/core/file.hpp>
#include <filesystem>

#include "graph/golden.hpp"
#include "plugin_support.hpp"

namespace espalier {
namespace {

using testing::HasSubstr;
using testing_support::error_of;
using testing_support::make;

at::Tensor features() { return golden::Case("gnn/graphs")["x"]; }

// What outlives its support: builders, and what they read.
std::shared_ptr<GraphSupport> support(const std::string& name, const Json& params,
                                      const at::Tensor& x) {
  const auto builder = make<GraphBuilder>(name, params);
  std::shared_ptr<GraphSupport> made = builder->support({.features = x});
  return {made.get(), [builder, made](GraphSupport*) {}};
}
CsrGraph build(const std::string& name, const Json& params, const at::Tensor& x) {
  return support(name, params, x)->graph();
}

bool same(const CsrGraph& a, const CsrGraph& b) {
  return a.rowptr.equal(b.rowptr) && a.col.equal(b.col) && a.weight.equal(b.weight);
}

bool symmetric(const CsrGraph& graph) {
  std::vector<Edge> turned = edges_of(graph);
  for (Edge& edge : turned) std::swap(edge.target, edge.source);
  return same(graph, graph_from_edges(graph.targets, graph.sources, std::move(turned)));
}

std::vector<std::pair<std::string, Json>> settings() {
  return {{"none", Json::object()},
          {"complete", {{"weight", "softmax"}}},
          {"local_scaling", {{"k", 5}}},
          {"local_scaling", {{"k", 4}, {"scale", 9}, {"symmetry", "mutual"}}},
          {"random", {{"of", {{"use", "knn"}, {"k", 5}}}}},
          {"multiplex", {{"centre", true}}},
          {"knn", {{"k_from", "degree"}, {"degree", 6}, {"metric", "l2"}, {"weight", "rank"}}},
          {"knn", {{"k", 5}, {"metric", "ip"}, {"weight", "heat"}, {"centre", true}}},
          {"threshold", {{"tau_from", "quantile"}, {"quantile", 0.9}, {"weight", "softmax"}}},
          {"threshold", {{"tau_from", "elbow"}, {"degree", 8}, {"centre", true}}},
          {"threshold", {{"tau", 0.6}, {"min_degree", 3}, {"max_degree", 6}}},
          {"knn", {{"k", 5}}},
          {"knn", {{"k", 5}, {"symmetry", "directed"}}},
          {"knn", {{"k", 5}, {"symmetry", "mutual"}, {"weight", "affine"}}},
          {"threshold", {{"tau", 0.5}}},
          {"threshold", {{"tau_from", "degree"}, {"degree", 5}}},
          {"threshold", {{"tau_from", "sampled_degree"}, {"degree", 5}, {"pairs", 1000}}},
          {"threshold", {{"tau", 0.3}, {"max_degree", 6}}}};
}

TEST(Graphs, AreCanonicalAndTheSameEachTime) {
  for (const auto& [name, params] : settings()) {
    const CsrGraph graph = build(name, params, features());
    EXPECT_EQ(error_of([&] { check_canonical(graph); }), "") << name << params;
    EXPECT_TRUE(same(graph, build(name, params, features())));
    EXPECT_FALSE((graph.weight < 0).any().item<bool>());
  }
}

TEST(Graphs, EveryQueryGetsItsEdgesFromTheSupportAlone) {
  const at::Tensor queries = features().slice(0, 40);
  for (const auto& [name, params] : settings()) {
    const auto to = support(name, params, features().slice(0, 0, 40).contiguous());
    const CsrGraph all = to->attach({.features = queries});
    EXPECT_EQ(all.targets, 20);
    EXPECT_EQ(all.sources, 40);
    const std::vector<Edge> edges = edges_of(all);
    for (std::int64_t q = 0; q < 20; ++q) {
      std::vector<Edge> own;
      for (Edge edge : edges) {
        if (edge.target != q) continue;
        edge.target = 0;
        own.push_back(edge);
      }
      EXPECT_TRUE(
          same(to->attach({.features = queries.slice(0, q, q + 1)}), graph_from_edges(1, 40, own)))
          << name << params << " query " << q;
    }
  }
}

TEST(Graphs, OfNoNodesAreEmpty) {
  const at::Tensor nothing = features().slice(0, 0, 0);
  for (const auto& [name, params] : settings()) {
    EXPECT_EQ(build(name, params, features().slice(0, 0, 1)).edges(), 0) << name << params;
    const auto none = support(name, params, nothing);
    EXPECT_EQ(none->graph().edges(), 0) << name << params;
    EXPECT_EQ(none->attach({.features = features()}).edges(), 0) << name << params;
  }
}

TEST(Knn, OfAQueryAreItsNearestSupportNodes) {
  const at::Tensor x = features();
  const CsrGraph graph = support("knn", {{"k", 3}}, x.slice(0, 0, 40))->attach({.features = x});
  EXPECT_EQ(graph.edges(), 60 * 3);
  // A query that equals a support node is attached to it with weight 1.
  EXPECT_NEAR(graph.weight.slice(0, 0, 3).max().item<double>(), 1.0, 1e-6);
}

TEST(Threshold, SaysItsTauAndHowManyNodesItCapped) {
  const CsrGraph free = build("threshold", {{"tau", 0.5}}, features());
  EXPECT_EQ(free.facts.at("tau"), 0.5);
  EXPECT_EQ(free.facts.at("capped"), 0);
  EXPECT_TRUE(symmetric(free));
  const CsrGraph capped = build("threshold", {{"tau", 0.5}, {"max_degree", 4}}, features());
  EXPECT_GT(capped.facts.at("capped"), 0);
  EXPECT_LT(capped.edges(), free.edges());
  EXPECT_TRUE(symmetric(capped));
  for (std::int64_t i = 0; i < 60; ++i) {
    EXPECT_LE((capped.rowptr[i + 1] - capped.rowptr[i]).item<std::int64_t>(), 4);
  }
}

TEST(Threshold, FromADegreeIsTheReferences) {
  const CsrGraph graph = build("threshold", {{"tau_from", "degree"}, {"degree", 10}}, features());
  EXPECT_EQ(graph.edges(), 600);
  EXPECT_NEAR(graph.facts.at("tau").get<double>(), 0.4310066413993101, 1e-12);
}

TEST(Threshold, OfQueriesIsTheSupports) {
  const at::Tensor x = features();
  const at::Tensor nodes = x.slice(0, 0, 40);
  const auto wanted = support("threshold", {{"tau_from", "degree"}, {"degree", 5}}, nodes);
  const auto fixed = support("threshold", {{"tau", wanted->graph().facts.at("tau")}}, nodes);
  EXPECT_TRUE(same(wanted->attach({.features = x}), fixed->attach({.features = x})));
}

TEST(Threshold, RefusesWhatCannotBe) {
  const auto refused = [](const std::string& name, const Json& params) {
    return error_of([&] { (void)make<GraphBuilder>(name, params); });
  };
  EXPECT_THAT(refused("threshold", {{"tau", 1.5}}), HasSubstr("tau"));
  EXPECT_THAT(refused("threshold", {{"quantile", -0.1}}), HasSubstr("quantile"));
  EXPECT_THAT(refused("threshold", {{"degree", 0}}), HasSubstr("degree"));
  EXPECT_THAT(refused("knn", {{"k", 0}}), HasSubstr("k"));
  EXPECT_THAT(refused("knn", {{"weight", "heat"}, {"temperature", 0}}), HasSubstr("temperature"));
  EXPECT_THAT(refused("knn", {{"metric", "manhattan"}}), HasSubstr("metric"));
}

TEST(Threshold, FromAQuantileLeavesThatShareOfPairsApart) {
  const CsrGraph graph =
      build("threshold", {{"tau_from", "quantile"}, {"quantile", 0.9}}, features());
  EXPECT_EQ(graph.edges(), 354);  // a tenth of 60 * 59
  EXPECT_EQ(build("threshold", {{"tau_from", "quantile"}, {"quantile", 0}}, features()).edges(),
            60 * 59);
}

TEST(Threshold, SaysHowManyPairsLieAroundTau) {
  const golden::Case reference("gnn/graphs");
  for (const Json& wanted : reference.meta.at("threshold")) {
    const CsrGraph graph = build("threshold", {{"tau", wanted.at("tau")}}, features());
    EXPECT_DOUBLE_EQ(graph.facts.at("near_tau").get<double>() * 60 * 59,
                     wanted.at("pairs_within_1e-4").get<double>());
  }
  at::Tensor x = at::zeros({3, 2});
  x[0][0] = x[1][0] = x[2][1] = 1;
  EXPECT_DOUBLE_EQ(build("threshold", {{"tau", 1}}, x).facts.at("near_tau").get<double>(), 1.0 / 3);
  EXPECT_EQ(build("threshold", {{"tau", 1}}, x).edges(), 2);
}

TEST(Threshold, AFloorJoinsLonelyNodesToTheirNearest) {
  const Json floor = {{"tau", 0.9}, {"min_degree", 2}};
  const CsrGraph graph = build("threshold", floor, features());
  EXPECT_TRUE(symmetric(graph));
  EXPECT_GT(graph.facts.at("raised"), 0);
  const at::Tensor degrees = graph.rowptr.slice(0, 1) - graph.rowptr.slice(0, 0, 60);
  EXPECT_GE(degrees.min().item<std::int64_t>(), 2);
  // Every edge is a similar pair, or among the two nearest of one of its ends.
  const CsrGraph similar = build("threshold", {{"tau", 0.9}}, features());
  const CsrGraph near = build("knn", {{"k", 2}}, features());
  EXPECT_LE(graph.edges(), similar.edges() + near.edges());
  const CsrGraph attached =
      support("threshold", floor, features())->attach({.features = -features()});
  EXPECT_GE((attached.rowptr.slice(0, 1) - attached.rowptr.slice(0, 0, 60)).min().item<int>(), 2);
}

TEST(Threshold, ACentredGraphIsThatOfFeaturesWithoutTheirMean) {
  const at::Tensor x = features() + 8;
  const CsrGraph raw = build("threshold", {{"tau", 0.5}}, x);
  const CsrGraph centred = build("threshold", {{"tau", 0.5}, {"centre", true}}, x);
  const CsrGraph expected = build("threshold", {{"tau", 0.5}}, x - x.mean(0));
  EXPECT_EQ(raw.edges(), 60 * 59);  // all stand in one cone
  EXPECT_TRUE(centred.col.equal(expected.col));
}

TEST(Knn, OfADegreeComesNearestToIt) {
  for (const char* symmetry : {"directed", "union", "mutual"}) {
    const Json wanted = {{"k_from", "degree"}, {"degree", 8}, {"symmetry", symmetry}};
    const CsrGraph graph = build("knn", wanted, features());
    const auto k = graph.facts.at("k").get<std::int64_t>();
    const auto away = [&](std::int64_t other) {
      const CsrGraph it = build("knn", {{"k", other}, {"symmetry", symmetry}}, features());
      return std::abs(static_cast<double>(it.edges()) / 60 - 8);
    };
    EXPECT_LE(away(k), away(k + 1)) << symmetry;
    EXPECT_LE(away(k), away(k - 1)) << symmetry;
    EXPECT_EQ(graph.edges(), build("knn", {{"k", k}, {"symmetry", symmetry}}, features()).edges());
  }
}

TEST(Knn, AskedForMoreThanThereAreJoinsAll) {
  EXPECT_EQ(build("knn", {{"k", 60}}, features()).edges(), 60 * 59);
  EXPECT_EQ(build("knn", {{"k_from", "degree"}, {"degree", 1000}}, features()).edges(), 60 * 59);
}

TEST(LocalScaling, IsTheReferences) {
  const golden::Case reference("gnn/graphs");
  const CsrGraph graph = build("local_scaling", {{"k", 5}, {"scale", 7}}, features());
  const CsrGraph expected = golden::graph(reference["graph.knn_euclidean_union.edge_index"],
                                          reference["local_scaling"], 60, 60);
  EXPECT_TRUE(graph.col.equal(expected.col));
  EXPECT_LT((graph.weight - expected.weight).abs().max().item<double>(), 1e-6);
}

TEST(Complete, JoinsAllWithAll) {
  const CsrGraph graph = build("complete", {{"weight", "affine"}}, features());
  EXPECT_EQ(graph.edges(), 60 * 59);
  EXPECT_EQ(
      support("complete", Json::object(), features())->attach({.features = features()}).edges(),
      60 * 60);
}

std::vector<std::int64_t> degrees_of(const CsrGraph& graph, bool in) {
  std::vector<std::int64_t> degrees(static_cast<std::size_t>(graph.targets), 0);
  for (const Edge& e : edges_of(graph))
    ++degrees[static_cast<std::size_t>(in ? e.target : e.source)];
  return degrees;
}

TEST(RandomGraph, KeepsDegreesAndWeightsAndForgetsTheRest) {
  for (const char* symmetry : {"directed", "union"}) {
    const Json of = {{"use", "knn"}, {"k", 5}, {"symmetry", symmetry}};
    const CsrGraph model = build("knn", {{"k", 5}, {"symmetry", symmetry}}, features());
    const CsrGraph graph = build("random", {{"of", of}}, features());
    EXPECT_EQ(degrees_of(graph, true), degrees_of(model, true));
    EXPECT_EQ(degrees_of(graph, false), degrees_of(model, false));
    EXPECT_TRUE(std::get<0>(graph.weight.sort()).equal(std::get<0>(model.weight.sort())));
    EXPECT_EQ(symmetric(graph), symmetric(model));
    std::int64_t kept = 0;
    const std::vector<Edge> edges = edges_of(model);
    for (const Edge& e : edges_of(graph)) {
      kept += std::any_of(edges.begin(), edges.end(), [&](const Edge& other) {
        return other.target == e.target && other.source == e.source;
      });
    }
    // By chance an edge stands where one stood in about degree / 59 of all cases.
    EXPECT_LT(kept, graph.edges() / 3) << symmetry;
  }
}

TEST(RandomGraph, OfQueriesKeepsTheirNumberOfEdgesAndFollowsTheSeed) {
  const at::Tensor nodes = features().slice(0, 0, 40), queries = features().slice(0, 40);
  const Json params = {{"of", {{"use", "threshold"}, {"tau", 0.4}}}};
  const auto attached = [&](std::int64_t seed) {
    const auto builder = make<GraphBuilder>("random", params, testing_support::TestContext(seed));
    return builder->support({.features = nodes})->attach({.features = queries});
  };
  const CsrGraph model = support("threshold", {{"tau", 0.4}}, nodes)->attach({.features = queries});
  EXPECT_EQ(degrees_of(attached(1), true), degrees_of(model, true));
  EXPECT_TRUE(same(attached(1), attached(1)));
  EXPECT_FALSE(same(attached(1), attached(2)));
}

// Images and their captions' features: 20 samples.
struct BothSides {
  at::Tensor images = features().slice(0, 0, 20).contiguous();
  at::Tensor texts = features().slice(0, 20, 40).contiguous();
  GraphInput input() const { return {.features = images, .other = texts}; }
};

CsrGraph build_with(const std::string& name, const Json& params, const GraphInput& input) {
  const auto builder = make<GraphBuilder>(name, params);
  return builder->support(input)->graph();
}

TEST(Semantic, IsTheBuildersGraphOfTheOtherModality) {
  const BothSides sides;
  const Json knn = {{"use", "knn"}, {"k", 3}};
  EXPECT_TRUE(same(build_with("semantic", {{"builder", knn}}, sides.input()),
                   build("knn", {{"k", 3}}, sides.texts)));
}

TEST(Fused, MixesSimilaritiesOrMergesEdges) {
  const BothSides sides;
  const Json all = {{"use", "threshold"}, {"tau", -1.0}, {"weight", "affine"}};
  const Json plain = {{"tau", -1.0}, {"weight", "affine"}};
  const CsrGraph mixed = build_with("fused", {{"builder", all}, {"share", 0.3}}, sides.input());
  const at::Tensor expected = build("threshold", plain, sides.images).weight * 0.3 +
                              build("threshold", plain, sides.texts).weight * 0.7;
  EXPECT_LT((mixed.weight - expected).abs().max().item<double>(), 1e-6);

  const Json knn = {{"use", "knn"}, {"k", 4}};
  const CsrGraph a = build("knn", {{"k", 4}}, sides.images),
                 b = build("knn", {{"k", 4}}, sides.texts);
  const Json both = {{"builder", knn}, {"other", knn}, {"by", "union"}};
  const CsrGraph either = build_with("fused", both, sides.input());
  Json narrow = both;
  narrow["by"] = "intersection";
  const CsrGraph agreed = build_with("fused", narrow, sides.input());
  EXPECT_EQ(either.edges() + agreed.edges(), a.edges() + b.edges());
  EXPECT_GT(agreed.edges(), 0);
  EXPECT_EQ(either.facts.at("other_k"), 4);
  for (const Edge& e : edges_of(agreed)) {
    const auto weight_in = [&](const CsrGraph& graph) {
      for (const Edge& o : edges_of(graph)) {
        if (o.target == e.target && o.source == e.source) return o.weight;
      }
      return -1.0F;
    };
    EXPECT_EQ(e.weight, std::min(weight_in(a), weight_in(b)));
  }
}

TEST(Multiplex, HasARelationForEachPairOfModalities) {
  const BothSides sides;
  const Json params = {{"image", {{"use", "knn"}, {"k", 3}}},
                       {"text", {{"use", "threshold"}, {"tau", 0.4}}},
                       {"cross", {{"use", "knn"}, {"k", 2}}}};
  const GraphInput two{.features = at::cat({sides.images, sides.texts}), .views = 2};
  const auto builder = make<GraphBuilder>("multiplex", params);
  const auto made = builder->support(two);
  const CsrGraph& graph = made->graph();
  ASSERT_TRUE(graph.relation.defined());
  std::vector<std::int64_t> count(4, 0);
  for (const Edge& e : edges_of(graph)) {
    const int expected = e.target < 20 ? (e.source < 20 ? 0 : 3) : (e.source < 20 ? 2 : 1);
    EXPECT_EQ(e.relation, expected);
    ++count[static_cast<std::size_t>(e.relation)];
  }
  EXPECT_EQ(count[0], build("knn", {{"k", 3}}, sides.images).edges());
  EXPECT_EQ(count[1], build("threshold", {{"tau", 0.4}}, sides.texts).edges());
  EXPECT_EQ(count[2], 20 * 2);
  EXPECT_EQ(count[3], 20 * 2);
  EXPECT_EQ(graph.facts.at("image_k"), 3);

  const GraphInput queries{.features = features().slice(0, 40, 60), .views = 2};
  const CsrGraph attached = made->attach(queries);
  EXPECT_EQ(attached.targets, 20);
  EXPECT_EQ(attached.sources, 40);
  for (const Edge& e : edges_of(attached)) {
    const int expected = e.target < 10 ? (e.source < 20 ? 0 : 3) : (e.source < 20 ? 2 : 1);
    EXPECT_EQ(e.relation, expected);
  }
}

TEST(SharedWords, JoinsCaptionsByRareWords) {
  const std::vector<std::string> texts = {"a red rose", "a red tulip", "a blue gentian",
                                          "one gentian in snow", "a rose"};
  const Json params = {{"builder", {{"use", "knn"}, {"k", 1}, {"symmetry", "directed"}}}};
  const CsrGraph graph =
      build_with("shared_words", params, {.features = features().slice(0, 0, 5), .texts = texts});
  ASSERT_EQ(graph.edges(), 5);
  const auto* source = graph.col.data_ptr<std::int64_t>();
  EXPECT_EQ(source[0], 4);  // rose
  EXPECT_EQ(source[1], 0);  // red
  EXPECT_EQ(source[2], 3);  // gentian
  EXPECT_EQ(source[3], 2);
}

class ListedEdges : public testing::Test {
 protected:
  CsrGraph graph_of(const std::string& rows, bool directed = false) {
    write_file(file_, rows);
    return build_with("edge_list", {{"file", file_.string()}, {"directed", directed}},
                      {.features = features().slice(0, 0, 3),
                       .ids = std::span(ids_).first(3),
                       .known_ids = ids_});
  }
  ~ListedEdges() override { std::filesystem::remove(file_); }

  std::vector<std::string> ids_ = {"a", "b", "c", "d"};  // d is no node
  std::filesystem::path file_ =
      std::filesystem::temp_directory_path() / ("edges-" + std::to_string(::getpid()) + ".csv");
};

TEST_F(ListedEdges, AreThoseAmongTheNodes) {
  const CsrGraph graph = graph_of("source,target,weight\na,b,0.5\nb,a,0.25\na,d,1\na,a,1\n");
  EXPECT_EQ(graph.edges(), 2);
  EXPECT_EQ(graph.weight[0].item<float>(), 0.5F);  // of two the heavier
  EXPECT_EQ(graph.facts.at("listed_edges"), 8);
  const CsrGraph one = graph_of("a,b\n", true);
  ASSERT_EQ(one.edges(), 1);
  EXPECT_EQ(edges_of(one)[0].target, 1);
}

TEST_F(ListedEdges, OfUnknownSamplesAreRefusedAllAtOnce) {
  const std::string said = error_of([&] { (void)graph_of("a,b\nx,b\na,y\n"); });
  EXPECT_THAT(said, HasSubstr("x"));
  EXPECT_THAT(said, HasSubstr("y"));
  EXPECT_THAT(said, HasSubstr(":3"));
  EXPECT_THAT(error_of([&] { (void)graph_of("a;b\n"); }),
              testing::AllOf(HasSubstr("no edge"), HasSubstr("tabs in a .tsv")));
  const std::string once = error_of([&] { (void)graph_of("a,x\nb,x\n"); });
  EXPECT_EQ(once.find("names a sample"), once.rfind("names a sample")) << once;
}

TEST_F(ListedEdges, OfAnEmptyListAreRefused) {
  for (const char* rows : {"", "\"\"", "source,target\n"}) {
    EXPECT_THAT(error_of([&] { (void)graph_of(rows); }), HasSubstr("has no edge")) << rows;
  }
}

TEST(Graphs, OfTooManyEdgesAreRefusedBeforeTheyAreSearched) {
  // 40,000 equal rows have 1.6e9 pairs.
  const at::Tensor x = at::ones({40000, 2});
  const std::string said = error_of([&] { (void)build("threshold", {{"tau", 0.5}}, x); });
  EXPECT_THAT(said, HasSubstr("too many edges"));
  EXPECT_THAT(said, HasSubstr("graph.tau"));
  EXPECT_THAT(error_of([&] {
                (void)build("knn", {{"k", 9000}}, x);
              }),
              HasSubstr("graph.k of at most 2500"));
  EXPECT_THAT(error_of([&] { (void)build("complete", Json::object(), x); }),
              HasSubstr("14142 nodes"));
}

TEST(Graphs, WithoutEdgesAreGraphsToo) {
  const CsrGraph graph = build("threshold", {{"tau", 1.0}}, features().slice(0, 0, 7));
  EXPECT_EQ(graph.edges(), 0);
  EXPECT_EQ(graph.targets, 7);
}

}  // namespace
}  // namespace espalier
