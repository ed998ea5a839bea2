#include "train/feature_source.hpp"

#include <ATen/ops/empty.h>

#include <espalier/core/error.hpp>

namespace espalier {

FrozenSource::FrozenSource(at::Tensor table, std::span<const Look> looks)
    : table_(std::move(table)) {
  ESPALIER_ASSERT(table_.size(0) == std::ssize(looks), "a row a look");
  for (const Look& look : looks) row_of_.emplace(look_id(look), std::ssize(row_of_));
  ESPALIER_ASSERT(row_of_.size() == looks.size(), "each look once");
}

FrozenSource::FrozenSource(at::Tensor table, std::span<const std::size_t> samples)
    : FrozenSource(std::move(table), plain_looks(samples)) {}

at::Tensor FrozenSource::rows(std::span<const Look> looks, const Mode&) const {
  at::Tensor index = at::empty({std::ssize(looks)}, at::kLong);
  auto* row = index.data_ptr<std::int64_t>();
  for (const Look& look : looks) {
    const auto found = row_of_.find(look_id(look));
    ESPALIER_ASSERT(found != row_of_.end(), "a look at a row of the table");
    *row++ = found->second;
  }
  return table_.index_select(0, index.to(table_.device()));
}

}  // namespace espalier
