#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/graph/similarity.hpp>
#include <espalier/nn/parallel.hpp>
#include <mutex>

#include "similarity_internal.hpp"

namespace espalier {
namespace {

struct ProposedPair {
  float value;
  std::int32_t first, second;
};

// The pairs that may be among the `wanted` most similar ones.
class PairCandidates {
 public:
  PairCandidates(std::int64_t wanted, double slack)
      : wanted_(static_cast<std::size_t>(wanted)), slack_(slack) {}

  [[nodiscard]] float floor() const noexcept { return floor_; }
  void add(const std::vector<ProposedPair>& some) {
    const std::lock_guard lock(mutex_);
    pairs_.insert(pairs_.end(), some.begin(), some.end());
  }
  void prune() {
    if (pairs_.size() < 2 * wanted_ + 4096) return;
    const auto last = pairs_.begin() + static_cast<std::ptrdiff_t>(wanted_) - 1;
    std::nth_element(
        pairs_.begin(), last, pairs_.end(),
        [](const ProposedPair& a, const ProposedPair& b) { return a.value > b.value; });
    floor_ = float_below(static_cast<double>(last->value) - 2 * slack_);
    std::erase_if(pairs_, [&](const ProposedPair& p) { return p.value < floor_; });
  }
  [[nodiscard]] const std::vector<ProposedPair>& pairs() const noexcept { return pairs_; }

 private:
  std::size_t wanted_;
  double slack_;
  float floor_ = -std::numeric_limits<float>::infinity();
  std::mutex mutex_;
  std::vector<ProposedPair> pairs_;
};

// Pairs (i, j) with i < j of a tile.
void collect_pairs(const float* tile, std::int64_t first, std::int64_t last, std::int64_t column,
                   std::int64_t end, PairCandidates& candidates) {
  const std::int64_t width = end - column;
  const float floor = candidates.floor();
  parallel_for(first, last, 16, [&](std::int64_t from, std::int64_t to) {
    std::vector<ProposedPair> some;
    for (std::int64_t i = from; i < to; ++i) {
      const float* row = tile + (i - first) * width;
      each_reaching(
          row, width, [&](std::int64_t t) { return block_reaches(row + t, floor); },
          [&](std::int64_t) { return floor; },
          [&](std::int64_t t) {
            if (column + t <= i) return;
            some.push_back(
                {row[t], static_cast<std::int32_t>(i), static_cast<std::int32_t>(column + t)});
          });
    }
    candidates.add(some);
  });
}

}  // namespace

std::vector<SimilarPair> SimilaritySearch::nearest_pairs(std::int64_t count) const {
  ESPALIER_ASSERT(metric_ == Metric::cosine, "pairs are ranked by cosine");
  std::vector<SimilarPair> found;
  const std::int64_t wanted = std::min(count, size() * (size() - 1) / 2);
  if (wanted <= 0) return found;
  PairCandidates candidates(wanted, slack(rows_, 0));
  TileProduct product(rows_.left, rows_.right);
  for (std::int64_t first = 0; first < size(); first += tile_rows) {
    const std::int64_t last = std::min(first + tile_rows, size());
    for (std::int64_t column = first; column < size(); column += tile_columns) {
      const std::int64_t end = std::min(column + tile_columns, size());
      collect_pairs(product(first, last, column, end), first, last, column, end, candidates);
      candidates.prune();
    }
  }
  found.resize(candidates.pairs().size());
  parallel_for(0, std::ssize(found), 256, [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t p = from; p < to; ++p) {
      const ProposedPair& pair = candidates.pairs()[static_cast<std::size_t>(p)];
      found[static_cast<std::size_t>(p)] = {cosine(rows_, pair.first, pair.second), pair.first,
                                            pair.second};
    }
  });
  std::sort(found.begin(), found.end(), [](const SimilarPair& a, const SimilarPair& b) {
    if (a.cosine != b.cosine) return a.cosine > b.cosine;
    return a.first != b.first ? a.first < b.first : a.second < b.second;
  });
  found.resize(static_cast<std::size_t>(wanted));
  return found;
}

std::vector<double> SimilaritySearch::sampled_cosines(std::int64_t pairs, Random random) const {
  if (size() < 2) return {};
  const auto n = static_cast<std::uint64_t>(size());
  std::vector<std::pair<std::int64_t, std::int64_t>> drawn;
  drawn.reserve(static_cast<std::size_t>(pairs));
  for (std::int64_t p = 0; p < pairs; ++p) {
    const std::uint64_t i = random.below(n);
    const std::uint64_t j = (i + 1 + random.below(n - 1)) % n;
    drawn.emplace_back(i, j);
  }
  std::vector<double> values(drawn.size());
  parallel_for(0, pairs, 1024, [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t p = from; p < to; ++p) {
      const auto& [i, j] = drawn[static_cast<std::size_t>(p)];
      values[static_cast<std::size_t>(p)] = cosine(rows_, i, j);
    }
  });
  std::sort(values.begin(), values.end());
  return values;
}

}  // namespace espalier
