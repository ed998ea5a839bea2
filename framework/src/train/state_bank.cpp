#include "train/state_bank.hpp"

#include <ATen/ops/empty.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <espalier/core/error.hpp>

namespace espalier {
namespace {

template <class Place>
at::Tensor places_of(std::span<const std::size_t> samples, at::Device device, const Place& place) {
  const at::Tensor index = at::empty({std::ssize(samples)}, at::kLong);
  std::transform(samples.begin(), samples.end(), index.data_ptr<std::int64_t>(), place);
  return index.to(device);
}

}  // namespace

void RowBank::reserve(const at::Tensor& like) {
  const std::int64_t needed = std::ssize(row_of_);
  const std::int64_t room = table_.defined() ? table_.size(0) : 0;
  if (needed <= room) return;
  const at::Tensor larger = at::empty({std::max(needed, 2 * room), like.size(1)}, like.options());
  if (room > 0) larger.slice(0, 0, room).copy_(table_);
  table_ = larger;
}

void RowBank::put(std::span<const std::size_t> samples, const at::Tensor& rows) {
  ESPALIER_ASSERT(rows.size(0) == std::ssize(samples), "a row a sample");
  if (samples.empty()) return;
  const c10::AutoGradMode no_grad(false);
  for (const std::size_t sample : samples) row_of_.try_emplace(sample, std::ssize(row_of_));
  reserve(rows.detach());
  const auto place = [this](std::size_t sample) { return row_of_.at(sample); };
  table_.index_copy_(0, places_of(samples, rows.device(), place), rows.detach());
}

at::Tensor RowBank::rows(std::span<const std::size_t> samples) const {
  const auto place = [this](std::size_t sample) {
    const auto found = row_of_.find(sample);
    ESPALIER_ASSERT(found != row_of_.end(), "a sample that the bank has");
    return found->second;
  };
  ESPALIER_ASSERT(table_.defined(), "a bank with rows");
  return table_.index_select(0, places_of(samples, table_.device(), place));
}

}  // namespace espalier
