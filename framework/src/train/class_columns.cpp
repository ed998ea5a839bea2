#include "train/class_columns.hpp"

#include "train/index_of.hpp"
#include <algorithm>
#include <espalier/core/error.hpp>
#include <utility>

namespace espalier {

ClassColumns::ClassColumns(std::vector<std::int64_t> labels) : labels_(std::move(labels)) {
  ESPALIER_ASSERT(std::is_sorted(labels_.begin(), labels_.end()), "labels ascend");
}

at::Tensor ClassColumns::of(const at::Tensor& logits) const {
  return labels_.empty() ? logits : logits.index_select(1, index_of(labels_, logits.device()));
}

std::int64_t ClassColumns::column(std::int64_t label) const {
  if (labels_.empty()) return label;
  const auto found = std::lower_bound(labels_.begin(), labels_.end(), label);
  ESPALIER_ASSERT(found != labels_.end() && *found == label, "a label of the task");
  return found - labels_.begin();
}

std::vector<std::int64_t> ClassColumns::columns(const std::vector<std::int64_t>& labels) const {
  std::vector<std::int64_t> all;
  for (const std::int64_t label : labels) all.push_back(column(label));
  return all;
}

}  // namespace espalier
