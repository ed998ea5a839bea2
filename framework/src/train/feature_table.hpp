// Rows of features where they lie, of which a trial takes those that it looks at.
#pragma once

#include <cstddef>
#include <cstdint>
#include <espalier/tensor/tensor.hpp>
#include <memory>
#include <span>
#include <vector>

namespace espalier {

class FeatureTable {
 public:
  // float32 [rows, width] on the CPU.
  explicit FeatureTable(const at::Tensor& table);
  // Rows of `width` numbers in memory that `owner` keeps, such as mapped parts of the cache.
  FeatureTable(std::shared_ptr<const void> owner, std::vector<const std::byte*> rows,
               std::int64_t width)
      : owner_(std::move(owner)), rows_(std::move(rows)), width_(width) {}

  [[nodiscard]] std::int64_t size() const noexcept { return std::ssize(rows_); }
  [[nodiscard]] std::int64_t width() const noexcept { return width_; }
  // float32 [places, width], a copy.
  [[nodiscard]] at::Tensor take(std::span<const std::int64_t> places) const;
  [[nodiscard]] at::Tensor all() const;

 private:
  [[nodiscard]] at::Tensor copied(std::span<const std::byte* const> rows) const;

  std::shared_ptr<const void> owner_;
  std::vector<const std::byte*> rows_;
  std::int64_t width_;
};

}  // namespace espalier
