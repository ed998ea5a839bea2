// From the result of a search to the edges of a graph.
#pragma once

#include <cstdint>
#include <espalier/graph/csr.hpp>
#include <espalier/graph/similarity.hpp>
#include <string>
#include <vector>

namespace espalier {

// What an edge weighs: `binary` 1, `cosine` the cosine with negative ones counted as 0, `affine`
// (1 + cosine) / 2. All lie in [0, 1].
inline const std::vector<std::string> edge_weights = {"binary", "cosine", "affine"};
[[nodiscard]] float edge_weight(const std::string& kind, double cosine);

// Which edges stay of those found from each end: `directed` as found, `union` those found from
// either end in both directions, `mutual` those found from both.
inline const std::vector<std::string> symmetries = {"directed", "union", "mutual"};

// found[i] are the sources of target i among the same nodes.
[[nodiscard]] CsrGraph graph_from_neighbours(const std::vector<std::vector<Neighbour>>& found,
                                             const std::string& symmetry,
                                             const std::string& weight);
// found[q] are the sources of query q among `support` nodes.
[[nodiscard]] CsrGraph attach_from_neighbours(const std::vector<std::vector<Neighbour>>& found,
                                              std::int64_t support, const std::string& weight);

// Keeps the `most` best of every list, of equals those with the smaller index, and says how many
// lists were longer. 0: no limit.
std::int64_t cap_degree(std::vector<std::vector<Neighbour>>& found, std::int64_t most);

}  // namespace espalier
