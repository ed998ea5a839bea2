#include <ATen/TensorOperators.h>
#include <ATen/ops/equal.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <cmath>
#include <espalier/plugin/graph.hpp>

#include "matter_internal.hpp"
#include "properties_internal.hpp"
#include "toys_internal.hpp"

namespace espalier::conformance {
namespace {

// Similarities come from tiled products, whose tiles move when rows do.
constexpr double weight_tolerance = 1e-5;
constexpr std::int64_t feature_width = 6;

at::Tensor features(std::int64_t n, std::uint64_t seed = 5) {
  Random random(seed);
  return normal_tensor({n, feature_width}, random);
}

// Words that follow from a number, so many that no two pairs of texts share equally much.
std::string words_of(double number) {
  Random random(static_cast<std::uint64_t>(std::llround(std::abs(number) * 1e6)));
  std::string text = "a flower";
  for (int word = 0; word < 24; ++word) text += " w" + std::to_string(random.below(60));
  return text;
}

// The nodes' features, and what else the builder declares that it needs: the other modality is a
// fixed image of the features, a caption words of their first number, an id one of ten by that
// number, so that equal nodes are equal in all.
class Nodes {
 public:
  Nodes(const Subject& subject, at::Tensor rows, std::int64_t views = 1)
      : features_(std::move(rows)), views_(views) {
    if (subject.has("needs_other")) other_ = (features_ * 2).tanh().flip({1});
    for (std::int64_t i = 0; i < features_.size(0); ++i) {
      const double number = features_[i][0].item<double>();
      if (subject.has("needs_texts")) {
        texts_.push_back(words_of(number));
      }
      if (subject.has("needs_ids")) ids_.push_back(id(std::abs(std::llround(number * 1000)) % 10));
    }
    for (std::int64_t known = 0; known < 10; ++known) known_.push_back(id(known));
  }
  GraphInput input() const {
    return {.features = features_,
            .other = other_,
            .texts = texts_,
            .ids = ids_,
            .known_ids = known_,
            .views = views_};
  }

 private:
  static std::string id(std::int64_t number) { return "sample-" + std::to_string(number); }

  at::Tensor features_;
  at::Tensor other_;
  std::vector<std::string> texts_, ids_, known_;
  std::int64_t views_;
};

std::unique_ptr<GraphSupport> support(const Subject& subject, const GraphBuilder& builder,
                                      const at::Tensor& x) {
  std::unique_ptr<GraphSupport> made = builder.support(Nodes(subject, x).input());
  expect(made != nullptr, "support() returns nothing");
  return made;
}

CsrGraph build(const Subject& subject, const GraphBuilder& builder, const at::Tensor& x) {
  return support(subject, builder, x)->graph();
}

CsrGraph attach(const Subject& subject, const GraphSupport& to, const at::Tensor& queries) {
  return to.attach(Nodes(subject, queries).input());
}

void expect_square(const CsrGraph& graph, std::int64_t n, const std::string& what) {
  expect(graph.targets == n && graph.sources == n && graph.square(),
         what + "the graph is not square over the nodes");
  check_canonical(graph);
  expect(graph.weight.scalar_type() == at::kFloat, what + "weights are not float32");
}

void canonical_graphs(const Subject& subject) {
  const auto builder = subject.make<GraphBuilder>();
  for (const std::int64_t n : {0, 1, 2, 3, 40}) {
    expect_square(build(subject, *builder, features(n)), n, std::to_string(n) + " nodes: ");
  }
}

void degenerate_features(const Subject& subject) {
  const auto builder = subject.make<GraphBuilder>();
  for (const at::Tensor& x : {at::zeros({7, feature_width}), at::ones({7, feature_width})}) {
    const auto made = support(subject, *builder, x);
    expect_square(made->graph(), 7, "equal rows: ");
    expect(same_graph(made->graph(), build(subject, *builder, x), 0),
           "equal rows: ties are not broken alike twice");
    (void)attach(subject, *made, x);
  }
  expect_square(build(subject, *builder, features(5).slice(1, 0, 1)), 5, "one column: ");
}

void repeatable_graphs(const Subject& subject) {
  const at::Tensor x = features(30);
  const auto builder = subject.make<GraphBuilder>(1);
  const CsrGraph graph = build(subject, *builder, x);
  expect(same_graph(graph, build(subject, *builder, x), 0), "a second call gives another graph");
  expect(same_graph(graph, build(subject, *subject.make<GraphBuilder>(1), x), 0),
         "another instance with the same seed gives another graph");
  if (subject.has("seeded")) return;
  expect(same_graph(graph, build(subject, *subject.make<GraphBuilder>(2), x), 0),
         "the seed changes the graph and `seeded` is not declared");
}

void equivariant_graphs(const Subject& subject) {
  if (subject.has("seeded")) throw Skip("`seeded` is declared: it may tell nodes by their place");
  const auto builder = subject.make<GraphBuilder>();
  const at::Tensor x = features(30);
  Random random(std::uint64_t{9});
  const auto order = random_order(30, random);
  const CsrGraph moved = build(subject, *builder, x.index_select(0, index_tensor(order)));
  expect(same_graph(moved, reorder(build(subject, *builder, x), order), weight_tolerance),
         "nodes in another order give another graph");
}

void leaves_features_alone(const Subject& subject) {
  const auto builder = subject.make<GraphBuilder>();
  const at::Tensor x = features(20);
  const at::Tensor q = features(5, 6);
  const at::Tensor x_before = x.clone();
  const at::Tensor q_before = q.clone();
  (void)attach(subject, *support(subject, *builder, x), q);
  expect(at::equal(x, x_before) && at::equal(q, q_before), "it changes the features");
}

void any_layout(const Subject& subject) {
  const auto builder = subject.make<GraphBuilder>();
  const at::Tensor x = features(20);
  const at::Tensor strided = x.t().contiguous().t();
  expect(
      same_graph(build(subject, *builder, strided), build(subject, *builder, x), weight_tolerance),
      "features stored by column give another graph");
}

void unit_weights_as_declared(const Subject& subject) {
  const CsrGraph graph = build(subject, *subject.make<GraphBuilder>(), features(30));
  if (subject.has("edge_weight")) return;
  expect(at::equal(graph.weight, at::ones({graph.edges()})),
         "a weight is not 1 and `edge_weight` is not declared");
}

void symmetric_as_declared(const Subject& subject) {
  if (!subject.has("symmetric")) throw Skip("`symmetric` is not declared");
  const CsrGraph graph = build(subject, *subject.make<GraphBuilder>(), features(30));
  std::vector<Edge> turned = edges_of(graph);
  for (Edge& edge : turned) std::swap(edge.target, edge.source);
  const CsrGraph back = graph_from_edges(30, 30, std::move(turned));
  expect(graph.rowptr.equal(back.rowptr) && graph.col.equal(back.col),
         "`symmetric` is declared and an edge has no opposite");
}

void attaches_queries(const Subject& subject) {
  const auto builder = subject.make<GraphBuilder>();
  for (const std::int64_t nodes : {0, 1, 2, 25}) {
    const auto made = support(subject, *builder, features(nodes));
    for (const std::int64_t queries : {0, 1, 6}) {
      const CsrGraph graph = attach(subject, *made, features(queries, 6));
      const std::string what =
          std::to_string(queries) + " queries to " + std::to_string(nodes) + " nodes: ";
      expect(graph.targets == queries && graph.sources == nodes, what + "a wrong size");
      CsrGraph checked = graph;
      checked.source_degree = at::zeros({nodes});
      check_canonical(checked);
    }
  }
}

// What makes inductive evaluation sound: a query's edges do not depend on the other queries.
void queries_do_not_meet(const Subject& subject) {
  const auto builder = subject.make<GraphBuilder>();
  const auto made = support(subject, *builder, features(25));
  const at::Tensor queries = features(6, 6);
  const std::vector<Edge> together = edges_of(attach(subject, *made, queries));
  std::vector<Edge> alone;
  for (std::int64_t i = 0; i < 6; ++i) {
    for (Edge edge : edges_of(attach(subject, *made, queries.slice(0, i, i + 1)))) {
      edge.target = i;
      alone.push_back(edge);
    }
  }
  expect(same_graph(graph_from_edges(6, 25, together), graph_from_edges(6, 25, alone),
                    weight_tolerance),
         "a query's edges depend on the other queries");
}

void attaching_leaves_the_graph_alone(const Subject& subject) {
  const auto builder = subject.make<GraphBuilder>();
  const auto made = support(subject, *builder, features(25));
  const CsrGraph before = build(subject, *builder, features(25));
  const CsrGraph first = attach(subject, *made, features(6, 6));
  (void)attach(subject, *made, features(40, 7));
  expect(same_graph(made->graph(), before, 0),
         "queries change the graph that they are attached to");
  expect(same_graph(attach(subject, *made, features(6, 6)), first, 0),
         "queries are attached in another way after others");
}

// Of images and texts in one space, half of the nodes each.
void two_views(const Subject& subject) {
  const auto builder = subject.make<GraphBuilder>();
  for (const std::int64_t samples : {0, 1, 12}) {
    const auto made = builder->support(Nodes(subject, features(2 * samples), 2).input());
    expect(made != nullptr, "support() returns nothing");
    expect_square(made->graph(), 2 * samples, std::to_string(samples) + " samples: ");
    CsrGraph attached = made->attach(Nodes(subject, features(6, 6), 2).input());
    expect(attached.targets == 6 && attached.sources == 2 * samples, "queries: a wrong size");
    attached.source_degree = at::zeros({2 * samples});
    check_canonical(attached);
  }
}

void add(const CsrGraph& graph, Behaviour& seen) {
  for (const at::Tensor& tensor : {graph.rowptr, graph.col, graph.relation, graph.weight}) {
    seen.add(tensor);
  }
}

Behaviour watched_graph(const Subject& subject) {
  const auto builder = subject.make<GraphBuilder>();
  Behaviour seen;
  for (const std::int64_t nodes : {30, 3}) {
    const auto made = support(subject, *builder, features(nodes));
    add(made->graph(), seen);
    add(attach(subject, *made, features(6, 6)), seen);
  }
  add(builder->support(Nodes(subject, features(24), 2).input())->graph(), seen);
  return seen;
}

}  // namespace

std::vector<Property> graph_properties() {
  return {
      {"canonical_graphs", "Graphs are canonical for any number of nodes", true, canonical_graphs},
      {"degenerate_features", "Equal rows and single columns make a graph, the same each time",
       true, degenerate_features},
      {"repeatable", "The same features and seed give the same graph", true, repeatable_graphs},
      {"permutation_equivariance", "Nodes in another order give the same graph, reordered", true,
       equivariant_graphs},
      {"leaves_inputs_alone", "Features are not written to", true, leaves_features_alone},
      {"any_layout", "Features may be stored in any layout", true, any_layout},
      {"weights_as_declared", "Weights are 1 unless `edge_weight` is declared", true,
       unit_weights_as_declared},
      {"symmetric_as_declared", "Where `symmetric` is declared every edge has an opposite", true,
       symmetric_as_declared},
      {"two_views", "Images and texts of one space can be joined", true, two_views},
      {"attaches_queries", "Queries can be attached to any number of nodes", true,
       attaches_queries},
      {"queries_do_not_meet", "A query's edges depend on itself and the support alone", true,
       queries_do_not_meet},
      {"attaching_leaves_the_graph_alone", "Queries change neither the graph nor later queries",
       true, attaching_leaves_the_graph_alone},
      parameters_matter(watched_graph),
  };
}

}  // namespace espalier::conformance
