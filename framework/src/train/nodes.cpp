#include "train/nodes.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include "train/component_call.hpp"
#include <cstdlib>
#include <espalier/core/error.hpp>
#include <espalier/nn/unit_rows.hpp>
#include <vector>

namespace espalier {
namespace {

// The rows with columns of zeros before and after them.
at::Tensor between(const at::Tensor& x, std::int64_t before, std::int64_t after) {
  return at::cat(
      {at::zeros({x.size(0), before}, x.options()), x, at::zeros({x.size(0), after}, x.options())},
      1);
}

Nodes bimodal(const at::Tensor& images, const at::Tensor& texts, bool shared_space) {
  if (shared_space) return {.x = at::cat({images, texts}), .views = 2};
  return {.x = at::cat({between(images, 0, texts.size(1)), between(texts, images.size(1), 0)}),
          .views = 2};
}

at::Tensor mean_of(const at::Tensor& images, const at::Tensor& texts) {
  if (images.size(1) != texts.size(1)) {
    throw Error({.what = "nodes.fuse: mean needs image and text features of one width",
                 .where = {},
                 .expected = "equal widths",
                 .found = std::to_string(images.size(1)) + " and " + std::to_string(texts.size(1)),
                 .fix = "use concat or bimodal, or an encoder with a shared space"});
  }
  return (images + texts) / 2;
}

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

}  // namespace

Nodes fuse(const NodesParams& params, const at::Tensor& images, const at::Tensor& texts,
           bool shared_space) {
  const auto ready = [&](const at::Tensor& x) { return params.normalize ? unit_rows(x) : x; };
  if (params.fuse == "image") return {.x = ready(images)};
  if (params.fuse == "text") return {.x = ready(texts)};
  if (params.fuse == "mean") return {.x = mean_of(ready(images), ready(texts))};
  if (params.fuse == "concat") return {.x = at::cat({ready(images), ready(texts)}, 1)};
  ESPALIER_ASSERT(params.fuse == "bimodal", "a fusion that the schema allows");
  return bimodal(ready(images), ready(texts), shared_space);
}

Nodes join(const Nodes& a, const Nodes& b) {
  ESPALIER_ASSERT(a.views == b.views, "nodes of one kind");
  std::vector<at::Tensor> parts;
  for (std::int64_t v = 0; v < a.views; ++v) {
    parts.push_back(a.view(v));
    parts.push_back(b.view(v));
  }
  return {.x = at::cat(parts), .views = a.views};
}

Nodes slice(const Nodes& nodes, std::int64_t first, std::int64_t last) {
  const std::int64_t there = std::min(last, nodes.samples());
  std::vector<at::Tensor> parts;
  for (std::int64_t v = 0; v < nodes.views; ++v) {
    parts.push_back(nodes.view(v).slice(0, first, there));
    parts.push_back(at::zeros({last - there, nodes.x.size(1)}, nodes.x.options()));
  }
  return {.x = at::cat(parts), .views = nodes.views};
}

CsrGraph without_pairs(const CsrGraph& graph, std::int64_t samples) {
  std::vector<Edge> edges = edges_of(graph);
  std::erase_if(edges, [&](const Edge& e) { return std::abs(e.target - e.source) == samples; });
  return graph_from_edges(graph.targets, graph.sources, std::move(edges));
}

CsrGraph NodeGraphs::built(const at::Tensor& x) const {
  CsrGraph graph = call_component(name_, "build", [&] { return builder_.build(x); });
  require_graph(name_, "build", graph, x.size(0), x.size(0));
  return graph;
}

CsrGraph NodeGraphs::attached(const at::Tensor& support, const at::Tensor& queries) const {
  CsrGraph graph =
      call_component(name_, "attach", [&] { return builder_.attach(support, queries); });
  // Marks the two sets as different ones even where they are of one size; callers set the degrees.
  graph.source_degree = at::zeros({support.size(0)});
  require_graph(name_, "attach", graph, queries.size(0), support.size(0));
  return graph;
}

CsrGraph NodeGraphs::build(const Nodes& nodes) const {
  if (nodes.views == 1) return built(nodes.x);
  const std::int64_t n = nodes.samples();
  std::vector<Edge> edges;
  Json facts = Json::object();
  if (shared_space_) {
    const CsrGraph graph = built(nodes.x);
    append(edges, graph, 0, 0);
    facts = graph.facts;
  } else {
    const CsrGraph images = built(nodes.view(0));
    const CsrGraph texts = built(nodes.view(1));
    append(edges, images, 0, 0);
    append(edges, texts, n, n);
    for (const auto& [key, value] : images.facts.items()) facts["image_" + key] = value;
    for (const auto& [key, value] : texts.facts.items()) facts["text_" + key] = value;
  }
  append_pairs(edges, n, 0);
  for (Edge& edge : edges) edge.relation = relation_of(edge.target >= n, edge.source >= n);
  CsrGraph graph = graph_from_edges(2 * n, 2 * n, std::move(edges), true);
  graph.facts = std::move(facts);
  return graph;
}

CsrGraph NodeGraphs::attach(const Nodes& support, const at::Tensor& degree,
                            const Nodes& queries) const {
  if (support.views == 1) {
    CsrGraph graph = attached(support.x, queries.x);
    graph.source_degree = degree;
    return graph;
  }
  const std::int64_t n = support.samples();
  const std::int64_t q = queries.samples();
  std::vector<Edge> edges;
  if (shared_space_) {
    append(edges, attached(support.x, queries.x), 0, 0);
  } else {
    append(edges, attached(support.view(0), queries.view(0)), 0, 0);
    append(edges, attached(support.view(1), queries.view(1)), q, n);
  }
  append_pairs(edges, q, 2 * n);
  const auto is_text = [&](std::int64_t source) {
    return source < 2 * n ? source >= n : source >= 2 * n + q;
  };
  for (Edge& edge : edges) edge.relation = relation_of(edge.target >= q, is_text(edge.source));
  CsrGraph graph = graph_from_edges(2 * q, 2 * n + 2 * q, std::move(edges), true);
  graph.source_degree = at::cat({degree, in_degree(graph)});
  return graph;
}

}  // namespace espalier
