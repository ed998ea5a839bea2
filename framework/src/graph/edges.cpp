#include <espalier/graph/edges.hpp>

#include <ATen/ops/empty.h>

#include <algorithm>
#include <cmath>
#include <espalier/core/error.hpp>
#include <numeric>
#include <tuple>

namespace espalier {
namespace {

using SourceList = std::vector<Neighbour>;

bool ascending(const Neighbour& a, const Neighbour& b) { return a.index < b.index; }

void sort_rows(Neighbours& rows) {
  for (SourceList& row : rows) std::sort(row.begin(), row.end(), ascending);
}

Neighbours united(const Neighbours& found) {
  Neighbours all = found;
  for (std::size_t i = 0; i < found.size(); ++i) {
    for (const Neighbour& n : found[i]) {
      all[static_cast<std::size_t>(n.index)].push_back({static_cast<std::int64_t>(i), n.cosine});
    }
  }
  sort_rows(all);
  for (SourceList& row : all) {
    const auto same = [](const Neighbour& a, const Neighbour& b) { return a.index == b.index; };
    row.erase(std::unique(row.begin(), row.end(), same), row.end());
  }
  return all;
}

void softmax_weights(const SourceList& row, double temperature, float* out) {
  double most = -1, sum = 0;
  for (const Neighbour& n : row) most = std::max(most, n.cosine);
  for (const Neighbour& n : row) sum += std::exp((n.cosine - most) / temperature);
  for (const Neighbour& n : row) {
    *out++ = static_cast<float>(std::exp((n.cosine - most) / temperature) / sum);
  }
}

void rank_weights(const SourceList& row, float* out) {
  std::vector<std::size_t> order(row.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(),
            [&](std::size_t a, std::size_t b) { return nearer(row[a], row[b]); });
  for (std::size_t r = 0; r < order.size(); ++r) {
    out[order[r]] =
        static_cast<float>(static_cast<double>(row.size() - r) / static_cast<double>(row.size()));
  }
}

float edge_weight(const Weighting& weighting, double cosine) {
  if (weighting.weight == "binary") return 1.0F;
  if (weighting.weight == "cosine") return static_cast<float>(std::max(0.0, cosine));
  if (weighting.weight == "affine") return static_cast<float>((1.0 + cosine) / 2.0);
  ESPALIER_ASSERT(weighting.weight == "heat", "an edge weight that the schema allows");
  return static_cast<float>(std::exp(-(1.0 - cosine) / weighting.temperature));
}

void weigh(const SourceList& row, const Weighting& weighting, float* out) {
  if (weighting.weight == "softmax") return softmax_weights(row, weighting.temperature, out);
  if (weighting.weight == "rank") return rank_weights(row, out);
  for (const Neighbour& n : row) *out++ = edge_weight(weighting, n.cosine);
}

// Of rows that ascend by index.
CsrGraph graph_of(const Neighbours& rows, std::int64_t sources, const Weighting& weighting) {
  const auto targets = std::ssize(rows);
  std::int64_t edges = 0;
  for (const SourceList& row : rows) edges += std::ssize(row);
  require_edges(static_cast<double>(edges), "fewer neighbours");
  CsrGraph graph;
  graph.targets = targets;
  graph.sources = sources;
  graph.rowptr = at::empty({targets + 1}, at::kLong);
  graph.col = at::empty({edges}, at::kLong);
  graph.weight = at::empty({edges}, at::kFloat);
  auto* begin = graph.rowptr.data_ptr<std::int64_t>();
  auto* col = graph.col.data_ptr<std::int64_t>();
  *begin = 0;
  for (const SourceList& row : rows) {
    weigh(row, weighting, graph.weight.data_ptr<float>() + *begin);
    for (const Neighbour& n : row) *col++ = n.index;
    begin[1] = begin[0] + std::ssize(row);
    ++begin;
  }
  return graph;
}

// Of every pair that was found from either end: the smaller and the larger of its two ranks, of one
// that was found once the larger is the length of the lists.
std::vector<std::pair<std::size_t, std::size_t>> pair_ranks(const Neighbours& found,
                                                            std::size_t longest) {
  std::vector<std::tuple<std::int64_t, std::int64_t, std::size_t>> places;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const auto self = static_cast<std::int64_t>(i);
    for (std::size_t r = 0; r < found[i].size(); ++r) {
      const auto [a, b] = std::minmax(self, found[i][r].index);
      places.emplace_back(a, b, r);
    }
  }
  std::sort(places.begin(), places.end());
  std::vector<std::pair<std::size_t, std::size_t>> ranks;
  for (std::size_t p = 0; p < places.size(); ++p) {
    const auto& [a, b, r] = places[p];
    const bool twice =
        p + 1 < places.size() && std::get<0>(places[p + 1]) == a && std::get<1>(places[p + 1]) == b;
    ranks.emplace_back(r, twice ? std::get<2>(places[++p]) : longest);
  }
  return ranks;
}

}  // namespace

CsrGraph graph_from_neighbours(const Neighbours& found, const std::string& symmetry,
                               const Weighting& weighting) {
  const auto n = std::ssize(found);
  if (symmetry == "union") return graph_of(united(found), n, weighting);
  if (symmetry == "mutual") {
    Neighbours both = found;
    keep_mutual(both);
    return graph_of(both, n, weighting);
  }
  ESPALIER_ASSERT(symmetry == "directed", "a symmetry that the schema allows");
  return attach_from_neighbours(found, n, weighting);
}

CsrGraph attach_from_neighbours(const Neighbours& found, std::int64_t support,
                                const Weighting& weighting) {
  Neighbours rows = found;
  sort_rows(rows);
  return graph_of(rows, support, weighting);
}

std::int64_t cap_degree(Neighbours& found, std::int64_t most) {
  if (most == 0) return 0;
  const auto limit = static_cast<std::size_t>(most);
  std::int64_t capped = 0;
  for (SourceList& list : found) {
    if (list.size() <= limit) continue;
    std::sort(list.begin(), list.end(), nearer);
    list.resize(limit);
    ++capped;
  }
  return capped;
}

void keep_mutual(Neighbours& found) {
  sort_rows(found);
  const Neighbours all = found;
  for (std::size_t i = 0; i < found.size(); ++i) {
    const Neighbour self{static_cast<std::int64_t>(i), 0};
    std::erase_if(found[i], [&](const Neighbour& n) {
      const SourceList& back = all[static_cast<std::size_t>(n.index)];
      return !std::binary_search(back.begin(), back.end(), self, ascending);
    });
  }
}

std::int64_t k_for_degree(const Neighbours& found, const std::string& symmetry, double degree) {
  std::size_t longest = 1;
  for (const SourceList& row : found) longest = std::max(longest, row.size());
  std::vector<double> edges(longest + 1, 0);  // that a rank brings
  if (symmetry == "directed") {
    for (const SourceList& row : found) {
      for (std::size_t r = 0; r < row.size(); ++r) edges[r] += 1;
    }
  } else {
    for (const auto& [first, second] : pair_ranks(found, longest)) {
      edges[symmetry == "union" ? first : second] += 2;
    }
  }
  const double wanted = degree * static_cast<double>(found.size());
  std::int64_t best = 1;
  double sum = 0, nearest = -1;
  for (std::size_t r = 0; r < longest; ++r) {
    sum += edges[r];
    const double away = std::abs(sum - wanted);
    if (nearest >= 0 && away >= nearest) continue;
    nearest = away;
    best = static_cast<std::int64_t>(r) + 1;
  }
  return best;
}

void require_edges(double edges, const std::string& fix) {
  if (edges <= static_cast<double>(most_edges)) return;
  throw Error({.what = "the graph would have too many edges",
               .where = {},
               .expected = "at most " + std::to_string(most_edges),
               .found = "about " + std::to_string(static_cast<std::int64_t>(edges)),
               .fix = fix});
}

}  // namespace espalier
