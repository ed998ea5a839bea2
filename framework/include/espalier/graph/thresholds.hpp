// Thresholds on cosines that follow from what is wanted of the graph: what 0.7 means depends on the
// encoder.
#pragma once

#include <cstdint>
#include <espalier/core/random.hpp>
#include <espalier/graph/similarity.hpp>

namespace espalier {

// The threshold that gives the rows `degree` others on average: the middle between the
// (n * degree)-th largest of the n (n - 1) cosines and the next, as in the graph diffusion of
// Gasteiger et al. 2019 without the diagonal. Beyond the number of pairs, -1.
[[nodiscard]] double tau_for_degree(const SimilaritySearch& search, double degree);

// An estimate of it from so many pairs drawn at random: the quantile at 1 - degree / (n - 1).
[[nodiscard]] double sampled_tau(const SimilaritySearch& search, double degree, std::int64_t pairs,
                                 Random random);

// Where the largest component has its elbow. While tau falls from 1, edges a node grow from 0 to
// `degree` and the share of the nodes in the largest component grows with them; chosen is the tau
// where that share is farthest above the straight line to (degree, 1) (Satopaa et al. 2011), the
// largest of several. -1 for fewer than two rows.
[[nodiscard]] double tau_at_elbow(const SimilaritySearch& search, double degree);

}  // namespace espalier
