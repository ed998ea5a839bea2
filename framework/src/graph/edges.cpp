#include <espalier/graph/edges.hpp>

#include <algorithm>
#include <espalier/core/error.hpp>

namespace espalier {
namespace {

std::vector<Edge> collect(const std::vector<std::vector<Neighbour>>& found,
                          const std::string& weight) {
  std::vector<Edge> edges;
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (const Neighbour& n : found[i]) {
      edges.push_back({.target = static_cast<std::int64_t>(i),
                       .source = n.index,
                       .weight = edge_weight(weight, n.cosine)});
    }
  }
  return edges;
}

bool has(const CsrGraph& graph, std::int64_t target, std::int64_t source) {
  const auto* begin = graph.rowptr.data_ptr<std::int64_t>();
  const auto* col = graph.col.data_ptr<std::int64_t>();
  return std::binary_search(col + begin[target], col + begin[target + 1], source);
}

}  // namespace

float edge_weight(const std::string& kind, double cosine) {
  if (kind == "binary") return 1.0F;
  if (kind == "cosine") return static_cast<float>(std::max(0.0, cosine));
  ESPALIER_ASSERT(kind == "affine", "an edge weight that the schema allows");
  return static_cast<float>((1.0 + cosine) / 2.0);
}

CsrGraph graph_from_neighbours(const std::vector<std::vector<Neighbour>>& found,
                               const std::string& symmetry, const std::string& weight) {
  const auto n = static_cast<std::int64_t>(found.size());
  std::vector<Edge> edges = collect(found, weight);
  if (symmetry == "directed") return graph_from_edges(n, n, std::move(edges));
  if (symmetry == "union") {
    const std::size_t count = edges.size();
    for (std::size_t e = 0; e < count; ++e) {
      edges.push_back(
          {.target = edges[e].source, .source = edges[e].target, .weight = edges[e].weight});
    }
    return graph_from_edges(n, n, std::move(edges));
  }
  ESPALIER_ASSERT(symmetry == "mutual", "a symmetry that the schema allows");
  const CsrGraph directed = graph_from_edges(n, n, edges);
  std::erase_if(edges, [&](const Edge& e) { return !has(directed, e.source, e.target); });
  return graph_from_edges(n, n, std::move(edges));
}

CsrGraph attach_from_neighbours(const std::vector<std::vector<Neighbour>>& found,
                                std::int64_t support, const std::string& weight) {
  return graph_from_edges(static_cast<std::int64_t>(found.size()), support, collect(found, weight));
}

std::int64_t cap_degree(std::vector<std::vector<Neighbour>>& found, std::int64_t most) {
  if (most == 0) return 0;
  const auto limit = static_cast<std::size_t>(most);
  std::int64_t capped = 0;
  for (std::vector<Neighbour>& list : found) {
    if (list.size() <= limit) continue;
    std::sort(list.begin(), list.end(), nearer);
    list.resize(limit);
    ++capped;
  }
  return capped;
}

}  // namespace espalier
