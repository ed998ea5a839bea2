// What the searches in this folder are made of.
#pragma once

#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <espalier/graph/similarity.hpp>
#include <limits>
#include <vector>

namespace espalier {

// Rows and columns of a product: large enough for the BLAS, small enough for the caches.
inline constexpr std::int64_t tile_rows = 512;
inline constexpr std::int64_t tile_columns = 4096;

// In double, summed in a fixed order.
[[nodiscard]] double dot_product(const float* a, const float* b, std::int64_t width);
[[nodiscard]] double squared_distance(const float* a, const float* b, std::int64_t width);

// Throws Error where a row is not finite or too large.
[[nodiscard]] SimilarityRows prepare_rows(const at::Tensor& features, Metric metric);

// The largest float that is no larger.
[[nodiscard]] inline float float_below(double value) {
  const auto near = static_cast<float>(value);
  return static_cast<double>(near) > value
             ? std::nextafter(near, -std::numeric_limits<float>::infinity())
             : near;
}

// Products of some rows with some others, in memory that is used again.
class TileProduct {
 public:
  TileProduct(const at::Tensor& left, const at::Tensor& right)
      : left_(left), right_(right), memory_(at::empty({tile_rows * tile_columns}, at::kFloat)) {}

  // Row-major, of rows [first, last) with rows [column, end).
  [[nodiscard]] const float* operator()(std::int64_t first, std::int64_t last, std::int64_t column,
                                        std::int64_t end) {
    const std::int64_t rows = last - first, columns = end - column;
    at::Tensor tile = memory_.narrow(0, 0, rows * columns).view({rows, columns});
    at::mm_out(tile, left_.slice(0, first, last), right_.slice(0, column, end).t());
    return tile.data_ptr<float>();
  }

 private:
  at::Tensor left_, right_, memory_;
};

// Calls take(t) for every t < count with values[t] >= floor_at(t), which may rise meanwhile. Whole
// blocks are passed over by `any`, which says whether the block at t has such a value.
inline constexpr std::int64_t scan_block = 64;

template <class Any, class Floor, class Take>
void each_reaching(const float* values, std::int64_t count, const Any& any, const Floor& floor_at,
                   const Take& take) {
  for (std::int64_t t = 0; t < count; t += scan_block) {
    const std::int64_t end = std::min(t + scan_block, count);
    if (end - t == scan_block && !any(t)) continue;
    for (std::int64_t i = t; i < end; ++i) {
      if (values[i] >= floor_at(i)) take(i);
    }
  }
}

[[nodiscard]] inline bool block_reaches(const float* values, float floor) {
  int any = 0;
  for (std::int64_t t = 0; t < scan_block; ++t) any |= values[t] >= floor ? 1 : 0;
  return any != 0;
}

[[nodiscard]] inline bool block_reaches(const float* values, const float* floors) {
  int any = 0;
  for (std::int64_t t = 0; t < scan_block; ++t) any |= values[t] >= floors[t] ? 1 : 0;
  return any != 0;
}

}  // namespace espalier
