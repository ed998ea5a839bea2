#include <array>
#include <espalier/core/error.hpp>

#include "similarity_internal.hpp"

namespace espalier {
namespace {

// Sums of term(a[k], b[k]) in double: eight of them, added in a fixed order.
template <class Term>
double sum_of(const float* a, const float* b, std::int64_t width, const Term& term) {
  std::array<double, 8> sum{};
  std::int64_t k = 0;
  for (; k + 8 <= width; k += 8) {
    for (std::int64_t lane = 0; lane < 8; ++lane) {
      sum[static_cast<std::size_t>(lane)] +=
          term(static_cast<double>(a[k + lane]), static_cast<double>(b[k + lane]));
    }
  }
  for (; k < width; ++k) sum[0] += term(static_cast<double>(a[k]), static_cast<double>(b[k]));
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

// Rows of length 1, but for those of zeros.
at::Tensor unit_rows_of(const SimilarityRows& rows) {
  at::Tensor unit = at::empty({rows.count, rows.width}, at::kFloat);
  for (std::int64_t i = 0; i < rows.count; ++i) {
    const float* row = rows.given.data_ptr<float>() + i * rows.width;
    const double square = rows.square[static_cast<std::size_t>(i)];
    const double scale = square > 0 ? 1.0 / std::sqrt(square) : 0.0;
    float* out = unit.data_ptr<float>() + i * rows.width;
    for (std::int64_t k = 0; k < rows.width; ++k) out[k] = static_cast<float>(row[k] * scale);
  }
  return unit;
}

// [x, 1, -|x|^2 / 2] and [x, -|x|^2 / 2, 1], whose product is minus half the squared distance.
at::Tensor lifted_rows(const SimilarityRows& rows, bool left) {
  at::Tensor lifted = at::empty({rows.count, rows.width + 2}, at::kFloat);
  for (std::int64_t i = 0; i < rows.count; ++i) {
    const float* row = rows.given.data_ptr<float>() + i * rows.width;
    float* out = lifted.data_ptr<float>() + i * (rows.width + 2);
    std::copy(row, row + rows.width, out);
    const auto half = static_cast<float>(-rows.square[static_cast<std::size_t>(i)] / 2);
    out[rows.width] = left ? 1.0F : half;
    out[rows.width + 1] = left ? half : 1.0F;
  }
  return lifted;
}

void require_usable(const SimilarityRows& rows) {
  constexpr double largest = 1e30;  // of a square, far from where float32 ends
  for (std::size_t i = 0; i < rows.square.size(); ++i) {
    if (rows.square[i] <= largest) continue;
    throw Error({.what = "features cannot be compared: a row is not finite or much too large",
                 .where = "row " + std::to_string(i),
                 .expected = "numbers with a sum of squares of at most 1e30",
                 .found = std::to_string(rows.square[i]),
                 .fix = "look at what made the features"});
  }
}

}  // namespace

// Products of floats are exact in double.
double dot_product(const float* a, const float* b, std::int64_t width) {
  return sum_of(a, b, width, [](double x, double y) { return x * y; });
}

double squared_distance(const float* a, const float* b, std::int64_t width) {
  return sum_of(a, b, width, [](double x, double y) { return (x - y) * (x - y); });
}

SimilarityRows prepare_rows(const at::Tensor& features, Metric metric) {
  ESPALIER_ASSERT(features.dim() == 2 && features.scalar_type() == at::kFloat,
                  "features are float32 rows");
  SimilarityRows rows{.count = features.size(0),
                      .width = features.size(1),
                      .given = features.detach().cpu().contiguous(),
                      .left = {},
                      .right = {},
                      .square = std::vector<double>(static_cast<std::size_t>(features.size(0)))};
  for (std::int64_t i = 0; i < rows.count; ++i) {
    const float* row = rows.given.data_ptr<float>() + i * rows.width;
    rows.square[static_cast<std::size_t>(i)] = dot_product(row, row, rows.width);
  }
  require_usable(rows);
  if (metric == Metric::l2) {
    rows.left = lifted_rows(rows, true);
    rows.right = lifted_rows(rows, false);
  } else {
    rows.left = rows.right = metric == Metric::cosine ? unit_rows_of(rows) : rows.given;
  }
  return rows;
}

}  // namespace espalier
