#include <espalier/graph/statistics.hpp>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <numeric>

namespace espalier {
namespace {

std::int64_t root_of(std::vector<std::int64_t>& parent, std::int64_t node) {
  auto at = [&](std::int64_t i) -> std::int64_t& { return parent[static_cast<std::size_t>(i)]; };
  while (at(node) != node) node = at(node) = at(at(node));
  return node;
}

template <class Visit>
void each_edge(const CsrGraph& graph, const Visit& visit) {
  const auto* begin = graph.rowptr.data_ptr<std::int64_t>();
  const auto* col = graph.col.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < graph.targets; ++i) {
    for (std::int64_t e = begin[i]; e < begin[i + 1]; ++e) visit(i, col[e]);
  }
}

void add_degrees(const CsrGraph& graph, Json& out) {
  const auto n = static_cast<std::size_t>(graph.targets);
  std::vector<std::int64_t> in(n, 0);
  std::vector<bool> touched(n, false);
  each_edge(graph, [&](std::int64_t target, std::int64_t source) {
    ++in[static_cast<std::size_t>(target)];
    touched[static_cast<std::size_t>(target)] = true;
    touched[static_cast<std::size_t>(source)] = true;
  });
  out["isolated"] = std::count(touched.begin(), touched.end(), false);
  if (n == 0) return;
  const auto [least, most] = std::minmax_element(in.begin(), in.end());
  out["degree_min"] = *least;
  out["degree_max"] = *most;
  out["degree_mean"] = static_cast<double>(graph.edges()) / static_cast<double>(n);
}

void add_components(const CsrGraph& graph, Json& out) {
  const std::vector<std::int64_t> component = components(graph);
  std::vector<std::int64_t> sizes(component.size(), 0);
  for (const std::int64_t c : component) ++sizes[static_cast<std::size_t>(c)];
  out["components"] = static_cast<std::int64_t>(sizes.size()) -
                      std::count(sizes.begin(), sizes.end(), std::int64_t{0});
  out["largest_component"] = sizes.empty() ? 0 : *std::max_element(sizes.begin(), sizes.end());
}

}  // namespace

std::vector<std::int64_t> components(const CsrGraph& graph) {
  ESPALIER_ASSERT(graph.square(), "components are of one node set");
  std::vector<std::int64_t> parent(static_cast<std::size_t>(graph.targets));
  std::iota(parent.begin(), parent.end(), std::int64_t{0});
  each_edge(graph, [&](std::int64_t target, std::int64_t source) {
    const std::int64_t a = root_of(parent, target);
    const std::int64_t b = root_of(parent, source);
    parent[static_cast<std::size_t>(std::max(a, b))] = std::min(a, b);
  });
  std::vector<std::int64_t> component;
  component.reserve(parent.size());
  for (std::int64_t i = 0; i < graph.targets; ++i) component.push_back(root_of(parent, i));
  return component;
}

std::optional<double> edge_homophily(const CsrGraph& graph, std::span<const std::int64_t> labels) {
  ESPALIER_ASSERT(static_cast<std::int64_t>(labels.size()) == graph.targets, "one label a node");
  std::int64_t labelled = 0;
  std::int64_t equal = 0;
  each_edge(graph, [&](std::int64_t target, std::int64_t source) {
    const std::int64_t a = labels[static_cast<std::size_t>(target)];
    const std::int64_t b = labels[static_cast<std::size_t>(source)];
    if (a < 0 || b < 0) return;
    ++labelled;
    equal += a == b ? 1 : 0;
  });
  if (labelled == 0) return std::nullopt;
  return static_cast<double>(equal) / static_cast<double>(labelled);
}

Json graph_statistics(const CsrGraph& graph, std::span<const std::int64_t> labels) {
  const auto n = static_cast<double>(graph.targets);
  Json out = graph.facts;
  out["nodes"] = graph.targets;
  out["edges"] = graph.edges();
  out["density"] = n > 1 ? static_cast<double>(graph.edges()) / (n * (n - 1)) : 0.0;
  add_degrees(graph, out);
  add_components(graph, out);
  const std::optional<double> homophily = edge_homophily(graph, labels);
  out["edge_homophily"] = homophily ? Json(*homophily) : Json(nullptr);
  return out;
}

}  // namespace espalier
