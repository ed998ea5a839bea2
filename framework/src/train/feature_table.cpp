#include "train/feature_table.hpp"

#include <ATen/ops/empty.h>

#include <cstring>

namespace espalier {

FeatureTable::FeatureTable(const at::Tensor& table) : width_(table.size(1)) {
  auto kept = std::make_shared<const at::Tensor>(table.contiguous());
  const float* row = kept->data_ptr<float>();
  for (std::int64_t i = 0; i < table.size(0); ++i, row += width_) {
    rows_.push_back(reinterpret_cast<const std::byte*>(row));
  }
  owner_ = std::move(kept);
}

at::Tensor FeatureTable::copied(std::span<const std::byte* const> rows) const {
  at::Tensor taken = at::empty({std::ssize(rows), width_}, at::kFloat);
  float* to = taken.data_ptr<float>();
  for (const std::byte* row : rows) {
    std::memcpy(to, row, static_cast<std::size_t>(width_) * sizeof(float));
    to += width_;
  }
  return taken;
}

at::Tensor FeatureTable::take(std::span<const std::int64_t> places) const {
  std::vector<const std::byte*> rows;
  rows.reserve(places.size());
  for (const std::int64_t place : places) rows.push_back(rows_.at(static_cast<std::size_t>(place)));
  return copied(rows);
}

at::Tensor FeatureTable::all() const { return copied(rows_); }

}  // namespace espalier
