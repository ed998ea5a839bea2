// From the result of a search to the edges of a graph.
#pragma once

#include <cstdint>
#include <espalier/core/schema.hpp>
#include <espalier/graph/csr.hpp>
#include <espalier/graph/similarity.hpp>
#include <string>
#include <vector>

namespace espalier {

// What an edge weighs, by its cosine s: `binary` 1; `cosine` s, negative ones counted as 0;
// `affine` (1 + s) / 2; `heat` exp(-(1 - s) / t); `softmax` exp(s / t) over the sum of it in the
// target's row; `rank` 1 for the most similar source of a row of m, then down in steps of 1 / m.
// All lie in [0, 1]; those of `softmax` and `rank` differ in the two directions of an edge.
inline const std::vector<std::string> edge_weights = {"binary", "cosine",  "affine",
                                                      "heat",   "softmax", "rank"};
// Parameters of a builder that has weights, to be inherited.
struct Weighting {
  std::string weight = "cosine";
  double temperature = 0.1;  // t
};
template <class Params>
void bind_weighting(Schema<Params>& s) {
  s.field("weight", static_cast<std::string Params::*>(&Params::weight))
      .choices(edge_weights)
      .doc("Weight of an edge, by its cosine: docs/graphs.md has the formulas");
  s.field("temperature", static_cast<double Params::*>(&Params::temperature))
      .above(0)
      .max(100)
      .only_if("weight in ['heat', 'softmax']")
      .doc("The cosine difference at which a weight has fallen to 1/e");
}

// Which edges stay of those found from each end: `directed` as found, `union` those found from
// either end in both directions, `mutual` those found from both.
inline const std::vector<std::string> symmetries = {"directed", "union", "mutual"};

// found[i] are the sources of target i among the same nodes.
[[nodiscard]] CsrGraph graph_from_neighbours(const Neighbours& found, const std::string& symmetry,
                                             const Weighting& weighting);
// found[q] are the sources of query q among `support` nodes.
[[nodiscard]] CsrGraph attach_from_neighbours(const Neighbours& found, std::int64_t support,
                                              const Weighting& weighting);

// Keeps the `most` best of every list, of equals those with the smaller index, and says how many
// lists were longer. 0: no limit.
std::int64_t cap_degree(Neighbours& found, std::int64_t most);

// Keeps an entry where the other node's list has the opposite one. Lists ascend by index then.
void keep_mutual(Neighbours& found);

// Of lists with the best first, the k from 1 on at which a graph of their first k entries has an
// average degree nearest to the wanted one, the smaller of two.
[[nodiscard]] std::int64_t k_for_degree(const Neighbours& found, const std::string& symmetry,
                                        double degree);

// Beyond this a graph is refused before it takes all memory.
inline constexpr std::int64_t most_edges = 200'000'000;
// Throws Error that names `fix`, such as `a larger tau`, where there are, or will be, more.
void require_edges(double edges, const std::string& fix);

}  // namespace espalier
