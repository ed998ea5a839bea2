#include <algorithm>
#include <limits>
#include <utility>

#include "candidates_internal.hpp"
#include "similarity_internal.hpp"

namespace espalier {
namespace {

constexpr std::size_t least_limit = 64;

}  // namespace

Candidates::Candidates(std::vector<double> slack, std::int64_t wanted, Score exact)
    : slack_(std::move(slack)),
      wanted_(static_cast<std::size_t>(wanted)),
      limit_(std::max(least_limit, 4 * static_cast<std::size_t>(wanted))),
      exact_(std::move(exact)),
      floors_(slack_.size(), -std::numeric_limits<float>::infinity()),
      proposals_(slack_.size()) {}

void Candidates::offer(std::int64_t query, std::int64_t row, float proposal) {
  auto& list = proposals_[static_cast<std::size_t>(query)];
  list.push_back({proposal, static_cast<std::int32_t>(row)});
  if (list.size() >= limit_) prune(query);
}

void Candidates::prune(std::int64_t query) {
  const auto q = static_cast<std::size_t>(query);
  auto& list = proposals_[q];
  const auto last = list.begin() + static_cast<std::ptrdiff_t>(wanted_) - 1;
  std::nth_element(list.begin(), last, list.end(),
                   [](const Proposal& a, const Proposal& b) { return a.value > b.value; });
  floors_[q] = float_below(static_cast<double>(last->value) - 2 * slack_[q]);
  std::erase_if(list, [&](const Proposal& p) { return p.value < floors_[q]; });
  if (list.size() > limit_ / 2) resolve(query);
}

// Where many are nearly equal exact scores choose.
void Candidates::resolve(std::int64_t query) {
  auto& list = proposals_[static_cast<std::size_t>(query)];
  std::vector<Proposal> kept;
  for (const std::int64_t row : best(query)) {
    kept.push_back({static_cast<float>(exact_(query, row)), static_cast<std::int32_t>(row)});
  }
  list = std::move(kept);
}

std::vector<std::int64_t> Candidates::best(std::int64_t query) const {
  std::vector<std::pair<double, std::int64_t>> scored;
  for (const Proposal& p : proposals_[static_cast<std::size_t>(query)]) {
    scored.emplace_back(-exact_(query, p.row), p.row);
  }
  const std::size_t count = std::min(wanted_, scored.size());
  std::partial_sort(scored.begin(), scored.begin() + static_cast<std::ptrdiff_t>(count),
                    scored.end());
  std::vector<std::int64_t> rows;
  for (std::size_t r = 0; r < count; ++r) rows.push_back(scored[r].second);
  return rows;
}

}  // namespace espalier
