#include <espalier/graph/thresholds.hpp>

#include <algorithm>
#include <cmath>
#include <espalier/graph/edges.hpp>
#include <functional>

#include "disjoint_sets_internal.hpp"

namespace espalier {
namespace {

constexpr const char* fewer_edges = "a smaller degree or quantile";

// So many of the n (n - 1) cosines, of which every pair has two.
std::int64_t ordered_pairs(const SimilaritySearch& search, double degree) {
  const double wanted = degree * static_cast<double>(search.size());
  require_edges(wanted, fewer_edges);
  return std::max<std::int64_t>(1, std::llround(wanted));
}

}  // namespace

double tau_for_degree(const SimilaritySearch& search, double degree) {
  const auto n = static_cast<double>(search.size());
  if (degree * n >= n * (n - 1)) return -1.0;
  const std::int64_t wanted = ordered_pairs(search, degree);
  if (wanted >= search.size() * (search.size() - 1)) return -1.0;
  const std::vector<SimilarPair> best = search.nearest_pairs(wanted / 2 + 1);
  const auto ranked = [&](std::int64_t rank) {
    return best[static_cast<std::size_t>(rank / 2)].cosine;
  };
  return (ranked(wanted - 1) + ranked(wanted)) / 2;
}

double sampled_tau(const SimilaritySearch& search, double degree, std::int64_t pairs,
                   Random random) {
  if (search.size() < 2 || degree >= static_cast<double>(search.size() - 1)) return -1.0;
  require_edges(degree * static_cast<double>(search.size()), fewer_edges);
  const std::vector<double> values = search.sampled_cosines(pairs, random);
  const double share = degree / static_cast<double>(search.size() - 1);
  const auto rank = static_cast<std::size_t>(share * static_cast<double>(pairs - 1));
  return values[values.size() - 1 - rank];
}

double tau_at_elbow(const SimilaritySearch& search, double degree) {
  if (search.size() < 2) return -1.0;
  const std::vector<SimilarPair> pairs =
      search.nearest_pairs(ordered_pairs(search, degree) / 2 + 1);
  DisjointSets sets(search.size());
  const auto n = static_cast<double>(search.size());
  double tau = pairs.front().cosine, most = -1;
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    sets.join(pairs[p].first, pairs[p].second);
    const bool last = p + 1 == pairs.size();
    if (!last && pairs[p + 1].cosine == pairs[p].cosine) continue;
    const double above =
        static_cast<double>(sets.largest()) / n - 2.0 * static_cast<double>(p + 1) / n / degree;
    if (above <= most) continue;
    most = above;
    tau = last ? pairs[p].cosine : (pairs[p].cosine + pairs[p + 1].cosine) / 2;
  }
  return tau;
}

}  // namespace espalier
