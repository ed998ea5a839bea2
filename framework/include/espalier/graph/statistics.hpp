// Figures that describe a graph.
#pragma once

#include <cstdint>
#include <espalier/core/json.hpp>
#include <espalier/graph/csr.hpp>
#include <optional>
#include <span>
#include <vector>

namespace espalier {

// The weakly connected component of each node of a square graph, numbered by its first node.
[[nodiscard]] std::vector<std::int64_t> components(const CsrGraph& graph);

// Share of the edges that join equal labels, among those with both ends labelled (label >= 0);
// empty where there are none. Only labels that training may see belong here.
[[nodiscard]] std::optional<double> edge_homophily(const CsrGraph& graph,
                                                   std::span<const std::int64_t> labels);

// {"nodes", "edges", "density" = edges / (n (n - 1)), "degree_min", "degree_mean", "degree_max"
// (incoming edges), "isolated" (neither incoming nor outgoing), "components", "largest_component",
// "edge_homophily" or null} of a square graph, and the builder's facts.
[[nodiscard]] Json graph_statistics(const CsrGraph& graph, std::span<const std::int64_t> labels);

}  // namespace espalier
