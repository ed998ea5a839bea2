#include "train/feature_source.hpp"

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
