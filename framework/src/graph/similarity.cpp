#include <espalier/graph/similarity.hpp>

#include <ATen/ops/tensor.h>

#include <espalier/core/error.hpp>
#include <espalier/graph/edges.hpp>
#include <espalier/nn/parallel.hpp>

#include "candidates_internal.hpp"
#include "similarity_internal.hpp"

namespace espalier {
namespace {

// Rows and columns a thread takes at a time.
constexpr std::int64_t row_grain = 16, column_grain = 512, exact_grain = 64;

// Of rows [first, last) of a product with rows [column, end): what reaches each row's floor.
template <class Offer>
void take_rows(const float* tile, const float* floors, std::int64_t first, std::int64_t last,
               std::int64_t column, std::int64_t end, const Offer& offer) {
  const std::int64_t width = end - column;
  parallel_for(first, last, row_grain, [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t i = from; i < to; ++i) {
      const float* row = tile + (i - first) * width;
      each_reaching(
          row, width, [&](std::int64_t t) { return block_reaches(row + t, floors[i]); },
          [&](std::int64_t) { return floors[i]; },
          [&](std::int64_t t) { offer(i, column + t, row[t]); });
    }
  });
}

// The same the other way round: what reaches the floor of each column from `from` on.
template <class Offer>
void take_columns(const float* tile, const float* floors, std::int64_t first, std::int64_t last,
                  std::int64_t column, std::int64_t end, const Offer& offer) {
  const std::int64_t width = end - column;
  parallel_for(std::max(column, last), end, column_grain, [&](std::int64_t a, std::int64_t b) {
    for (std::int64_t i = first; i < last; ++i) {
      const float* row = tile + (i - first) * width + (a - column);
      each_reaching(
          row, b - a, [&](std::int64_t t) { return block_reaches(row + t, floors + a + t); },
          [&](std::int64_t t) { return floors[a + t]; },
          [&](std::int64_t t) { offer(a + t, i, row[t]); });
    }
  });
}

// The edges of `later` and their opposites, ascending by index.
Neighbours both_ways(Neighbours later) {
  Neighbours all(later.size());
  for (std::size_t i = 0; i < later.size(); ++i) {
    all[i].insert(all[i].end(), later[i].begin(), later[i].end());
    for (const Neighbour& n : later[i]) {
      all[static_cast<std::size_t>(n.index)].push_back({static_cast<std::int64_t>(i), n.cosine});
    }
    later[i] = {};
  }
  return all;
}

}  // namespace

Metric metric_of(const std::string& name) {
  const auto at = std::find(similarity_metrics.begin(), similarity_metrics.end(), name);
  ESPALIER_ASSERT(at != similarity_metrics.end(), "a metric that the schema allows");
  return static_cast<Metric>(at - similarity_metrics.begin());
}

SimilaritySearch::SimilaritySearch(const at::Tensor& features, Metric metric)
    : metric_(metric), rows_(prepare_rows(features, metric)) {
  for (const double square : rows_.square) longest_ = std::max(longest_, std::sqrt(square));
}

// One root of one product: that of two equal squares is the square itself, so copies have cosine 1.
double SimilaritySearch::cosine(const SimilarityRows& queries, std::int64_t i,
                                std::int64_t j) const {
  const float* a = queries.given.data_ptr<float>() + i * rows_.width;
  const float* b = rows_.given.data_ptr<float>() + j * rows_.width;
  const double squares =
      queries.square[static_cast<std::size_t>(i)] * rows_.square[static_cast<std::size_t>(j)];
  return squares > 0 ? std::clamp(dot_product(a, b, rows_.width) / std::sqrt(squares), -1.0, 1.0)
                     : 0.0;
}

double SimilaritySearch::score(const SimilarityRows& queries, std::int64_t i,
                               std::int64_t j) const {
  const float* a = queries.given.data_ptr<float>() + i * rows_.width;
  const float* b = rows_.given.data_ptr<float>() + j * rows_.width;
  if (metric_ == Metric::ip) return dot_product(a, b, rows_.width);
  if (metric_ == Metric::l2) return -squared_distance(a, b, rows_.width) / 2;
  return cosine(queries, i, j);
}

double SimilaritySearch::slack(const SimilarityRows& queries, std::int64_t i) const {
  const double terms =
      static_cast<double>(rows_.width + 10) * std::numeric_limits<float>::epsilon();
  if (metric_ == Metric::cosine) return terms;
  const double length = std::sqrt(queries.square[static_cast<std::size_t>(i)]);
  if (metric_ == Metric::ip) return terms * length * longest_;
  return terms * (length + longest_) * (length + longest_) / 2;
}

std::vector<Neighbour> SimilaritySearch::ranked(const SimilarityRows& queries, std::int64_t i,
                                                const std::vector<std::int64_t>& rows) const {
  std::vector<Neighbour> list;
  for (const std::int64_t j : rows) list.push_back({j, cosine(queries, i, j)});
  return list;
}

Neighbours SimilaritySearch::nearest(const at::Tensor& features, std::int64_t k) const {
  const SimilarityRows queries = prepare_rows(features, metric_);
  ESPALIER_ASSERT(queries.width == rows_.width, "queries are as wide as the rows");
  Neighbours found(static_cast<std::size_t>(queries.count));
  const std::int64_t wanted = std::min(k, rows_.count);
  if (wanted <= 0) return found;
  TileProduct product(queries.left, rows_.right);
  for (std::int64_t first = 0; first < queries.count; first += tile_rows) {
    const std::int64_t last = std::min(first + tile_rows, queries.count);
    std::vector<double> slacks;
    for (std::int64_t i = first; i < last; ++i) slacks.push_back(slack(queries, i));
    Candidates some(slacks, wanted, [&](std::int64_t q, std::int64_t row) {
      return score(queries, first + q, row);
    });
    for (std::int64_t column = 0; column < rows_.count; column += tile_columns) {
      const std::int64_t end = std::min(column + tile_columns, rows_.count);
      take_rows(product(first, last, column, end), some.floors(), 0, last - first, column, end,
                [&](std::int64_t i, std::int64_t j, float p) { some.offer(i, j, p); });
    }
    parallel_for(first, last, exact_grain, [&](std::int64_t from, std::int64_t to) {
      for (std::int64_t i = from; i < to; ++i) {
        found[static_cast<std::size_t>(i)] = ranked(queries, i, some.best(i - first));
      }
    });
  }
  return found;
}

// Every product is taken for both of its rows.
Neighbours SimilaritySearch::nearest_others(std::int64_t k) const {
  Neighbours found(static_cast<std::size_t>(size()));
  const std::int64_t wanted = std::min(k, size() - 1);
  if (wanted <= 0) return found;
  std::vector<double> slacks;
  for (std::int64_t i = 0; i < size(); ++i) slacks.push_back(slack(rows_, i));
  Candidates all(std::move(slacks), wanted,
                 [&](std::int64_t q, std::int64_t row) { return score(rows_, q, row); });
  const auto offer = [&](std::int64_t i, std::int64_t j, float p) {
    if (i != j) all.offer(i, j, p);
  };
  TileProduct product(rows_.left, rows_.right);
  for (std::int64_t first = 0; first < size(); first += tile_rows) {
    const std::int64_t last = std::min(first + tile_rows, size());
    for (std::int64_t column = first; column < size(); column += tile_columns) {
      const std::int64_t end = std::min(column + tile_columns, size());
      const float* tile = product(first, last, column, end);
      take_rows(tile, all.floors(), first, last, column, end, offer);
      take_columns(tile, all.floors(), first, last, column, end, offer);
    }
  }
  parallel_for(0, size(), exact_grain, [&](std::int64_t from, std::int64_t to) {
    for (std::int64_t i = from; i < to; ++i) {
      found[static_cast<std::size_t>(i)] = ranked(rows_, i, all.best(i));
    }
  });
  return found;
}

// A row is left out by its place: a copy may stand before it.
Neighbours SimilaritySearch::nearest_others(const std::vector<std::int64_t>& of,
                                            std::int64_t k) const {
  const at::Tensor places = at::tensor(at::IntArrayRef(of), at::TensorOptions(at::kLong));
  Neighbours found = nearest(rows_.given.index_select(0, places), k + 1);
  for (std::size_t q = 0; q < of.size(); ++q) {
    std::erase_if(found[q], [&](const Neighbour& n) { return n.index == of[q]; });
    found[q].resize(std::min(found[q].size(), static_cast<std::size_t>(k)));
  }
  return found;
}

Neighbours SimilaritySearch::within(const at::Tensor& features, double tau) const {
  ESPALIER_ASSERT(metric_ == Metric::cosine, "thresholds are cosines");
  const SimilarityRows queries = prepare_rows(features, metric_);
  ESPALIER_ASSERT(queries.width == rows_.width, "queries are as wide as the rows");
  Neighbours found(static_cast<std::size_t>(queries.count));
  const std::vector<float> floors(found.size(), float_below(tau - slack(rows_, 0)));
  TileProduct product(queries.left, rows_.right);
  std::size_t edges = 0;
  for (std::int64_t first = 0; first < queries.count; first += tile_rows) {
    const std::int64_t last = std::min(first + tile_rows, queries.count);
    for (std::int64_t column = 0; column < rows_.count; column += tile_columns) {
      const std::int64_t end = std::min(column + tile_columns, rows_.count);
      take_rows(product(first, last, column, end), floors.data(), first, last, column, end,
                [&](std::int64_t i, std::int64_t j, float) {
                  const double exact = cosine(queries, i, j);
                  if (exact >= tau) found[static_cast<std::size_t>(i)].push_back({j, exact});
                });
    }
    for (std::int64_t i = first; i < last; ++i) edges += found[static_cast<std::size_t>(i)].size();
    require_edges(static_cast<double>(edges), "a larger tau");
  }
  return found;
}

Neighbours SimilaritySearch::others_within(double tau) const {
  ESPALIER_ASSERT(metric_ == Metric::cosine, "thresholds are cosines");
  Neighbours later(static_cast<std::size_t>(size()));  // of each row those with a larger index
  if (size() == 0) return later;
  const std::vector<float> floors(later.size(), float_below(tau - slack(rows_, 0)));
  TileProduct product(rows_.left, rows_.right);
  std::size_t pairs = 0;
  for (std::int64_t first = 0; first < size(); first += tile_rows) {
    const std::int64_t last = std::min(first + tile_rows, size());
    for (std::int64_t column = first; column < size(); column += tile_columns) {
      const std::int64_t end = std::min(column + tile_columns, size());
      take_rows(product(first, last, column, end), floors.data(), first, last, column, end,
                [&](std::int64_t i, std::int64_t j, float) {
                  if (j <= i) return;
                  const double exact = cosine(rows_, i, j);
                  if (exact >= tau) later[static_cast<std::size_t>(i)].push_back({j, exact});
                });
    }
    for (std::int64_t i = first; i < last; ++i) pairs += later[static_cast<std::size_t>(i)].size();
    require_edges(2.0 * static_cast<double>(pairs), "a larger tau");
  }
  return both_ways(std::move(later));
}

std::vector<std::vector<double>> SimilaritySearch::distances(const at::Tensor& features,
                                                             const Neighbours& found) const {
  const at::Tensor rows = features.detach().cpu().contiguous();
  std::vector<std::vector<double>> all(found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    const float* a = rows.data_ptr<float>() + static_cast<std::int64_t>(i) * rows_.width;
    for (const Neighbour& n : found[i]) {
      const float* b = rows_.given.data_ptr<float>() + n.index * rows_.width;
      all[i].push_back(std::sqrt(squared_distance(a, b, rows_.width)));
    }
  }
  return all;
}

}  // namespace espalier
