#include "train/feature_source.hpp"

#include <ATen/ops/empty.h>

#include <algorithm>
#include <espalier/core/error.hpp>

namespace espalier {

FrozenSource::FrozenSource(at::Tensor table, std::span<const std::size_t> samples)
    : table_(std::move(table)) {
  ESPALIER_ASSERT(table_.size(0) == static_cast<std::int64_t>(samples.size()), "a row a sample");
  if (samples.empty()) return;
  row_of_.assign(*std::max_element(samples.begin(), samples.end()) + 1, -1);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    row_of_[samples[i]] = static_cast<std::int64_t>(i);
  }
}

at::Tensor FrozenSource::rows(std::span<const Look> looks, const Mode&) const {
  at::Tensor index = at::empty({static_cast<std::int64_t>(looks.size())}, at::kLong);
  auto* row = index.data_ptr<std::int64_t>();
  for (const Look& look : looks) {
    const bool there = look.view == 0 && look.sample < row_of_.size() && row_of_[look.sample] >= 0;
    ESPALIER_ASSERT(there, "a look at a row of the table");
    *row++ = row_of_[look.sample];
  }
  return table_.index_select(0, index.to(table_.device()));
}

}  // namespace espalier
