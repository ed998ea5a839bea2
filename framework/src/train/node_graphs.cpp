#include "train/node_graphs.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include "train/component_call.hpp"
#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <espalier/core/error.hpp>

namespace espalier {
namespace {

std::int8_t relation_of(bool target_is_text, bool source_is_text) {
  if (target_is_text == source_is_text) return target_is_text ? 1 : 0;
  return target_is_text ? 2 : 3;
}

void append(std::vector<Edge>& edges, const CsrGraph& graph, std::int64_t target_offset,
            std::int64_t source_offset) {
  for (Edge edge : edges_of(graph)) {
    edge.target += target_offset;
    edge.source += source_offset;
    edges.push_back(edge);
  }
}

// Edges between the two nodes of each of n samples, which stand at these offsets among the sources.
void append_pairs(std::vector<Edge>& edges, std::int64_t n, std::int64_t sources) {
  for (std::int64_t i = 0; i < n; ++i) {
    edges.push_back({.target = i, .source = sources + n + i});
    edges.push_back({.target = n + i, .source = sources + i});
  }
}

std::span<const std::string> texts_of_view(const std::vector<std::string>& texts,
                                           std::int64_t first, std::int64_t count) {
  if (texts.empty()) return {};
  return std::span(texts).subspan(static_cast<std::size_t>(first), static_cast<std::size_t>(count));
}

}  // namespace

CsrGraph without_pairs(const CsrGraph& graph, std::int64_t samples) {
  std::vector<Edge> edges = edges_of(graph);
  std::erase_if(edges, [&](const Edge& e) {
    return std::abs(e.target - e.source) == samples && std::max(e.target, e.source) < 2 * samples;
  });
  return graph_from_edges(graph.targets, graph.sources, std::move(edges));
}

GraphInput NodeGraph::all_of(const FrozenNodes& from) const {
  return {.features = from.nodes.x,
          .other = from.others,
          .texts = from.texts,
          .ids = from.ids,
          .known_ids = maker_.known_ids,
          .views = views_};
}

GraphInput NodeGraph::view_of(const FrozenNodes& from, std::int64_t v) const {
  const std::int64_t n = from.nodes.samples();
  GraphInput input{.features = from.nodes.view(v)};
  if (from.others.defined()) input.other = from.others.slice(0, v * n, (v + 1) * n);
  input.texts = texts_of_view(from.texts, v * n, n);
  input.ids = texts_of_view(from.ids, v * n, n);
  input.known_ids = maker_.known_ids;
  input.text_nodes = v == 1;
  return input;
}

NodeGraph::NodeGraph(GraphMaker maker, std::span<const std::size_t> samples, std::int64_t fit)
    : maker_(std::move(maker)), samples_(static_cast<std::int64_t>(samples.size())) {
  const FrozenNodes from = maker_.nodes(samples);
  views_ = from.nodes.views;
  if (together()) {
    support(all_of(from), fit);
  } else {
    for (std::int64_t v = 0; v < views_; ++v) support(view_of(from, v), fit);
  }
  if (maker_.nearest_classes > 0) classes_ = {from.classes, maker_.nearest_classes};
  graph_ = built(from.nodes.x);
  prepare(graph_);
  degree_ = in_degree(graph_);
}

void NodeGraph::support(GraphInput input, std::int64_t fit) {
  input.fit = fit;
  supports_.push_back(
      call_component(maker_.name, "support", [&] { return maker_.builder->support(input); }));
  sizes_.push_back(input.nodes());
  if (supports_.back() == nullptr) {
    throw Error({.what = maker_.name + " breaks its contract in support: it returns nothing",
                 .where = {},
                 .expected = "a GraphSupport",
                 .found = "null",
                 .fix = {}});
  }
  require_graph(maker_.name, "support", supports_.back()->graph(), input.nodes(), input.nodes());
}

std::vector<Edge> NodeGraph::similar_among_nodes(Json& facts) const {
  std::vector<Edge> edges;
  append(edges, supports_[0]->graph(), 0, 0);
  if (together()) {
    facts = supports_[0]->graph().facts;
    return edges;
  }
  append(edges, supports_[1]->graph(), samples_, samples_);
  for (const std::size_t v : {0U, 1U}) {
    const std::string prefix = v == 0 ? "image_" : "text_";
    for (const auto& [key, value] : supports_[v]->graph().facts.items()) {
      facts[prefix + key] = value;
    }
  }
  return edges;
}

CsrGraph NodeGraph::built(const at::Tensor& nodes) const {
  if (views_ == 1 && classes_.count() == 0) return supports_[0]->graph();
  Json facts = Json::object();
  std::vector<Edge> edges = similar_among_nodes(facts);
  if (views_ == 2) {
    append_pairs(edges, samples_, 0);
    for (Edge& edge : edges) {
      edge.relation = relation_of(edge.target >= samples_, edge.source >= samples_);
    }
  }
  classes_.join(nodes, views_ * samples_, edges);
  const std::int64_t all = views_ * samples_ + classes_.count();
  CsrGraph graph = graph_from_edges(all, all, std::move(edges), true);
  graph.facts = std::move(facts);
  if (classes_.count() > 0) graph.facts["class_nodes"] = classes_.count();
  return graph;
}

CsrGraph NodeGraph::attached(std::size_t support, const GraphInput& queries) const {
  CsrGraph graph =
      call_component(maker_.name, "attach", [&] { return supports_[support]->attach(queries); });
  // Marks the two sets as different ones even where they are of one size; callers set the degrees.
  graph.source_degree = at::zeros({sizes_[support]});
  require_graph(maker_.name, "attach", graph, queries.nodes(), sizes_[support]);
  return graph;
}

std::vector<Edge> NodeGraph::similar_to_nodes(const FrozenNodes& queries) const {
  std::vector<Edge> edges;
  if (together()) {
    append(edges, attached(0, all_of(queries)), 0, 0);
  } else {
    append(edges, attached(0, view_of(queries, 0)), 0, 0);
    append(edges, attached(1, view_of(queries, 1)), queries.nodes.samples(), samples_);
  }
  return edges;
}

CsrGraph NodeGraph::attach(std::span<const std::size_t> queries) const {
  const FrozenNodes from = maker_.nodes(queries);
  const auto q = static_cast<std::int64_t>(queries.size());
  const std::int64_t support = graph_.targets;
  if (views_ == 1 && classes_.count() == 0) {
    CsrGraph graph = attached(0, all_of(from));
    graph.source_degree = degree_;
    return graph;
  }
  std::vector<Edge> edges = similar_to_nodes(from);
  if (views_ == 2) {
    append_pairs(edges, q, support);
    const auto is_text = [&](std::int64_t source) {
      return source < support ? source >= samples_ : source >= support + q;
    };
    for (Edge& edge : edges) edge.relation = relation_of(edge.target >= q, is_text(edge.source));
  }
  classes_.attach(from.nodes.x, views_ * samples_, edges);
  const std::int64_t own = views_ == 2 ? 2 * q : 0;
  CsrGraph graph = graph_from_edges(views_ * q, support + own, std::move(edges), true);
  graph.source_degree = own > 0 ? at::cat({degree_, in_degree(graph)}) : degree_;
  return graph;
}

}  // namespace espalier
