#include <espalier/plugin/graph.hpp>

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <gmock/gmock.h>

#include "graph/golden.hpp"
#include "plugin_support.hpp"

namespace espalier {
namespace {

using testing::HasSubstr;
using testing_support::error_of;
using testing_support::make;

at::Tensor features() { return golden::Case("gnn/graphs")["x"]; }

std::unique_ptr<GraphSupport> support(const std::string& name, const Json& params,
                                      const at::Tensor& x) {
  return make<GraphBuilder>(name, params)->support({.features = x});
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
    const auto to = support(name, params, features().slice(0, 0, 40));
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
  EXPECT_THAT(error_of([] {
                (void)make<GraphBuilder>("threshold", {{"tau", 1.5}});
              }),
              HasSubstr("tau"));
  EXPECT_THAT(error_of([] { (void)make<GraphBuilder>("knn", {{"k", 0}}); }), HasSubstr("k"));
}

}  // namespace
}  // namespace espalier
