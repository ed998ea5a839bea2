// Figures that describe a graph, and the similarities that it was made from.
#pragma once

#include <cstdint>
#include <espalier/core/json.hpp>
#include <espalier/graph/csr.hpp>
#include <espalier/graph/similarity.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace espalier {

// The weakly connected component of each node of a square graph, numbered by its first node.
[[nodiscard]] std::vector<std::int64_t> components(const CsrGraph& graph);

// How far edges join equal labels, among those with both ends labelled (label >= 0). Only labels
// that training may see belong here.
struct Homophily {
  double edge = 0;  // share of the edges
  double node = 0;  // mean over the nodes with such edges of the share among their incoming ones
  // Class-insensitive (Lim et al. 2021): the mean over the C classes of max(0, h_c - n_c / n),
  // times C / (C - 1), for the share h_c of the edges into class c that come from it: 0 for chance.
  double insensitive = 0;
};
// Empty without such edges.
[[nodiscard]] std::optional<Homophily> homophily(const CsrGraph& graph,
                                                 std::span<const std::int64_t> labels);

// {"nodes", "edges", "density" = edges / (n (n - 1)), "degree_min", "degree_mean", "degree_max",
// "degree_std" (incoming edges), "isolated" (neither incoming nor outgoing), "reciprocity" (share
// of edges with an opposite), "components", "largest_component"} of a square graph, and the
// builder's facts.
[[nodiscard]] Json graph_statistics(const CsrGraph& graph);
// What to say of a graph whose facts tell of a `recall`, of one builder or of several with
// prefixes, below 0.9: approximate search missed more than a tenth of the neighbours. Empty
// elsewhere.
[[nodiscard]] std::string recall_warning(const Json& facts);
// {"edge_homophily", "node_homophily", "class_homophily"}, null where no edge is labelled.
[[nodiscard]] Json homophily_statistics(const CsrGraph& graph,
                                        std::span<const std::int64_t> labels);

// {"similarity_mean", "similarity_std", "similarity_histogram": 64 counts of equal bins from -1 to
// 1} of the cosines of so many pairs, always the same ones; empty for fewer than two rows.
[[nodiscard]] Json similarity_statistics(const SimilaritySearch& search, std::int64_t pairs);

// How many queries have a row with a cosine above 0.99: the same picture twice, say.
[[nodiscard]] std::int64_t near_duplicates(const SimilaritySearch& search,
                                           const at::Tensor& queries);

}  // namespace espalier
