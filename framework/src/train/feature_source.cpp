#include "train/feature_source.hpp"

#include <algorithm>
#include <espalier/core/error.hpp>

namespace espalier {

FrozenSource::FrozenSource(FeatureTable table, std::span<const Look> looks)
    : table_(std::move(table)) {
  ESPALIER_ASSERT(table_.size() == std::ssize(looks), "a row a look");
  for (const Look& look : looks) row_of_.emplace(look_id(look), std::ssize(row_of_));
  ESPALIER_ASSERT(row_of_.size() == looks.size(), "each look once");
}

FrozenSource::FrozenSource(FeatureTable table, std::span<const std::size_t> samples)
    : FrozenSource(std::move(table), plain_looks(samples)) {}

at::Tensor FrozenSource::rows(std::span<const Look> looks, const Mode&) const {
  constexpr std::size_t most = 2;
  const auto asked = [&](const auto& known) { return std::ranges::equal(known.first, looks); };
  const auto found = std::ranges::find_if(known_, asked);
  if (found != known_.end()) return found->second;
  at::Tensor rows = taken(looks);
  if (looks.size() <= 1) return rows;
  if (known_.size() == most) known_.erase(known_.begin());
  known_.emplace_back(std::vector(looks.begin(), looks.end()), rows);
  return rows;
}

at::Tensor FrozenSource::taken(std::span<const Look> looks) const {
  std::vector<std::int64_t> places;
  places.reserve(looks.size());
  for (const Look& look : looks) {
    const auto found = row_of_.find(look_id(look));
    ESPALIER_ASSERT(found != row_of_.end(), "a look at a row of the table");
    places.push_back(found->second);
  }
  return table_.take(places);
}

std::vector<Look> class_looks(const Sources& sources) {
  std::vector<Look> looks(sources.class_count);
  for (std::size_t i = 0; i < looks.size(); ++i) looks[i].sample = sources.first_class + i;
  return looks;
}

}  // namespace espalier
