#include <espalier/graph/similarity.hpp>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <espalier/core/error.hpp>
#include <functional>
#include <limits>
#include <span>

namespace espalier {
namespace {

constexpr std::int64_t tile_rows = 64;

// Products of floats are exact in double, and the eight sums are added in a fixed order.
double dot(const float* a, const float* b, std::int64_t width) {
  std::array<double, 8> sum{};
  std::int64_t k = 0;
  for (; k + 8 <= width; k += 8) {
    for (std::int64_t lane = 0; lane < 8; ++lane) {
      sum[static_cast<std::size_t>(lane)] +=
          static_cast<double>(a[k + lane]) * static_cast<double>(b[k + lane]);
    }
  }
  for (; k < width; ++k) sum[0] += static_cast<double>(a[k]) * static_cast<double>(b[k]);
  return ((sum[0] + sum[1]) + (sum[2] + sum[3])) + ((sum[4] + sum[5]) + (sum[6] + sum[7]));
}

// The k-th largest of the values, which are reordered.
float kth_largest(std::span<float> values, std::int64_t k) {
  const auto at = values.begin() + (k - 1);
  std::nth_element(values.begin(), at, values.end(), std::greater<>());
  return *at;
}

}  // namespace

CosineSearch::Rows CosineSearch::prepare(const at::Tensor& features) {
  ESPALIER_ASSERT(features.dim() == 2 && features.scalar_type() == at::kFloat,
                  "features are float32 rows");
  Rows rows{.count = features.size(0),
            .width = features.size(1),
            .given = features.detach().cpu().contiguous(),
            .unit = {},
            .square = std::vector<double>(static_cast<std::size_t>(features.size(0)))};
  rows.unit = at::empty({rows.count, rows.width}, at::kFloat);
  for (std::int64_t i = 0; i < rows.count; ++i) {
    const float* row = rows.given.data_ptr<float>() + i * rows.width;
    const double square = dot(row, row, rows.width);
    const double scale = square > 0 ? 1.0 / std::sqrt(square) : 0.0;
    rows.square[static_cast<std::size_t>(i)] = square;
    float* unit = rows.unit.data_ptr<float>() + i * rows.width;
    for (std::int64_t k = 0; k < rows.width; ++k) unit[k] = static_cast<float>(row[k] * scale);
  }
  return rows;
}

CosineSearch::CosineSearch(const at::Tensor& features) : rows_(prepare(features)) {}

// One root of one product: that of two equal squares is the square itself, so copies have cosine 1.
double CosineSearch::cosine(const Rows& queries, std::int64_t i, std::int64_t j) const {
  const float* a = queries.given.data_ptr<float>() + i * rows_.width;
  const float* b = rows_.given.data_ptr<float>() + j * rows_.width;
  const double squares =
      queries.square[static_cast<std::size_t>(i)] * rows_.square[static_cast<std::size_t>(j)];
  return squares > 0 ? std::clamp(dot(a, b, rows_.width) / std::sqrt(squares), -1.0, 1.0) : 0.0;
}

// Bound on the rounding error of a float32 cosine of `width` terms.
double CosineSearch::slack() const {
  return static_cast<double>(rows_.width + 8) * std::numeric_limits<float>::epsilon();
}

// float32 cosines of the queries from `first` on, a tile of them, to all rows.
at::Tensor CosineSearch::tile(const Rows& queries, std::int64_t first) const {
  ESPALIER_ASSERT(queries.width == rows_.width, "queries are as wide as the rows");
  const std::int64_t last = std::min(first + tile_rows, queries.count);
  return queries.unit.slice(0, first, last).matmul(rows_.unit.t()).contiguous();
}

// Calls take(i, cosines) for every query, its own cosine at -inf where the queries are the rows
// themselves. Queries of one tile are taken in parallel.
template <class Take>
void CosineSearch::scan(const Rows& queries, bool others, const Take& take) const {
  for (std::int64_t first = 0; first < queries.count; first += tile_rows) {
    const at::Tensor cosines = tile(queries, first);
    float* values = cosines.data_ptr<float>();
    at::parallel_for(first, first + cosines.size(0), 1, [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t i = from; i < to; ++i) {
        const std::span<float> row(values + (i - first) * rows_.count,
                                   static_cast<std::size_t>(rows_.count));
        if (others) row[static_cast<std::size_t>(i)] = -std::numeric_limits<float>::infinity();
        take(i, row);
      }
    });
  }
}

std::vector<std::vector<Neighbour>> CosineSearch::nearest(const Rows& queries, std::int64_t k,
                                                          bool others) const {
  std::vector<std::vector<Neighbour>> found(static_cast<std::size_t>(queries.count));
  const std::int64_t wanted = std::min(k, rows_.count - (others ? 1 : 0));
  if (wanted <= 0) return found;
  scan(queries, others, [&](std::int64_t i, std::span<const float> row) {
    std::vector<float> scratch(row.begin(), row.end());
    const double floor = static_cast<double>(kth_largest(scratch, wanted)) - 2 * slack();
    auto& list = found[static_cast<std::size_t>(i)];
    for (std::int64_t j = 0; j < rows_.count; ++j) {
      if (row[static_cast<std::size_t>(j)] >= floor) list.push_back({j, cosine(queries, i, j)});
    }
    std::sort(list.begin(), list.end(), nearer);
    list.resize(static_cast<std::size_t>(wanted));
  });
  return found;
}

std::vector<std::vector<Neighbour>> CosineSearch::within(const Rows& queries, double tau,
                                                         bool others) const {
  std::vector<std::vector<Neighbour>> found(static_cast<std::size_t>(queries.count));
  if (rows_.count == 0) return found;
  scan(queries, others, [&](std::int64_t i, std::span<const float> row) {
    for (std::int64_t j = 0; j < rows_.count; ++j) {
      const float proposed = row[static_cast<std::size_t>(j)];
      if (!(proposed >= tau - slack())) continue;
      if (others && i == j) continue;
      const double exact = cosine(queries, i, j);
      if (exact >= tau) found[static_cast<std::size_t>(i)].push_back({j, exact});
    }
  });
  return found;
}

std::vector<std::vector<Neighbour>> CosineSearch::nearest(const at::Tensor& queries,
                                                          std::int64_t k) const {
  return nearest(prepare(queries), k, false);
}

std::vector<std::vector<Neighbour>> CosineSearch::nearest_others(std::int64_t k) const {
  return nearest(rows_, k, true);
}

std::vector<std::vector<Neighbour>> CosineSearch::within(const at::Tensor& queries,
                                                         double tau) const {
  return within(prepare(queries), tau, false);
}

std::vector<std::vector<Neighbour>> CosineSearch::others_within(double tau) const {
  return within(rows_, tau, true);
}

double CosineSearch::tau_for_degree(double degree) const {
  // Every pair stands twice among the n (n - 1) cosines.
  const std::int64_t wanted =
      std::max<std::int64_t>(1, std::llround(degree * static_cast<double>(size())));
  if (wanted >= size() * (size() - 1)) return -1.0;
  const auto keep = static_cast<std::size_t>(wanted / 2 + 1);
  const auto by_rank = static_cast<std::ptrdiff_t>(keep) - 1;
  std::vector<double> best;
  double floor = -2.0;
  for (std::int64_t first = 0; first < size(); first += tile_rows) {
    const at::Tensor cosines = tile(rows_, first);
    for (std::int64_t i = first; i < first + cosines.size(0); ++i) {
      const float* row = cosines.data_ptr<float>() + (i - first) * size();
      for (std::int64_t j = i + 1; j < size(); ++j) {
        if (row[j] >= floor - slack()) best.push_back(cosine(rows_, i, j));
      }
    }
    if (best.size() <= keep) continue;
    std::nth_element(best.begin(), best.begin() + by_rank, best.end(), std::greater<>());
    best.resize(keep);
    floor = best.back();
  }
  std::sort(best.begin(), best.end(), std::greater<>());
  const auto ranked = [&](std::int64_t rank) { return best[static_cast<std::size_t>(rank / 2)]; };
  return (ranked(wanted - 1) + ranked(wanted)) / 2;
}

double CosineSearch::sampled_tau(double degree, std::int64_t pairs, Random random) const {
  if (size() < 2 || degree >= static_cast<double>(size() - 1)) return -1.0;
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(pairs));
  const auto n = static_cast<std::uint64_t>(size());
  for (std::int64_t p = 0; p < pairs; ++p) {
    const std::uint64_t i = random.below(n);
    const std::uint64_t j = (i + 1 + random.below(n - 1)) % n;
    values.push_back(cosine(rows_, static_cast<std::int64_t>(i), static_cast<std::int64_t>(j)));
  }
  const double share = degree / static_cast<double>(size() - 1);
  const auto rank = static_cast<std::ptrdiff_t>(share * static_cast<double>(pairs - 1));
  std::nth_element(values.begin(), values.begin() + rank, values.end(), std::greater<>());
  return values[static_cast<std::size_t>(rank)];
}

}  // namespace espalier
