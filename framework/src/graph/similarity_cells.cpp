// The part of SimilaritySearch that looks into cells.
#include <ATen/ops/empty.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/tensor.h>

#include <espalier/core/error.hpp>
#include <espalier/graph/similarity.hpp>
#include <espalier/nn/parallel.hpp>
#include <span>

#include "candidates_internal.hpp"
#include "similarity_internal.hpp"

namespace espalier {
namespace {

constexpr std::int64_t asker_grain = 16, ranking_grain = 64;

using Numbers = std::span<const std::int64_t>;

at::Tensor picked(const at::Tensor& rows, Numbers which) {
  const at::Tensor index =
      at::tensor(at::IntArrayRef(which.data(), which.size()), at::TensorOptions(at::kLong));
  return rows.index_select(0, index);
}

// Offers each of `askers` the `rows` whose products with it, row by row in `products`, reach its
// floor.
void offer_products(const float* products, Numbers askers, Numbers rows, bool others,
                    Candidates& to) {
  const float* floors = to.floors();
  const std::int64_t width = std::ssize(rows);
  parallel_for(0, std::ssize(askers), asker_grain, [&](std::int64_t from, std::int64_t until) {
    for (std::int64_t a = from; a < until; ++a) {
      const std::int64_t asker = askers[static_cast<std::size_t>(a)];
      const float* row = products + a * width;
      each_reaching(
          row, width, [&](std::int64_t t) { return block_reaches(row + t, floors[asker]); },
          [&](std::int64_t) { return floors[asker]; },
          [&](std::int64_t t) {
            const std::int64_t other = rows[static_cast<std::size_t>(t)];
            if (!others || other != asker) to.offer(asker, other, row[t]);
          });
    }
  });
}

// Pieces of a list, none longer than `most`.
std::vector<Numbers> pieces(const std::vector<std::int64_t>& all, std::int64_t most) {
  std::vector<Numbers> parts;
  for (std::int64_t first = 0; first < std::ssize(all); first += most) {
    const auto at = static_cast<std::size_t>(first);
    parts.push_back(
        Numbers(all).subspan(at, std::min(static_cast<std::size_t>(most), all.size() - at)));
  }
  return parts;
}

}  // namespace

Neighbours SimilaritySearch::found_in(const Cells& rows, const Cells& askers,
                                      const SimilarityRows& queries, std::int64_t wanted,
                                      bool others) const {
  ESPALIER_ASSERT(rows.size() == askers.size(), "each cell has rows and askers");
  Neighbours found(static_cast<std::size_t>(queries.count));
  if (wanted <= 0) return found;
  std::vector<double> slacks;
  for (std::int64_t i = 0; i < queries.count; ++i) slacks.push_back(slack(queries, i));
  Candidates all(std::move(slacks), wanted,
                 [&](std::int64_t q, std::int64_t row) { return score(queries, q, row); });
  for (std::size_t c = 0; c < rows.size(); ++c) {
    if (askers[c].empty()) continue;
    for (const Numbers some : pieces(rows[c], tile_columns)) {
      const at::Tensor right = picked(rows_.right, some).t();
      for (const Numbers asking : pieces(askers[c], tile_rows)) {
        const at::Tensor products = at::mm(picked(queries.left, asking), right);
        offer_products(products.data_ptr<float>(), asking, some, others, all);
      }
    }
  }
  parallel_for(0, queries.count, ranking_grain, [&](std::int64_t from, std::int64_t until) {
    for (std::int64_t i = from; i < until; ++i) {
      found[static_cast<std::size_t>(i)] = ranked(queries, i, all.best(i));
    }
  });
  return found;
}

Neighbours SimilaritySearch::nearest_in(const Cells& rows, const Cells& askers,
                                        const at::Tensor& features, std::int64_t k) const {
  const SimilarityRows queries = prepare_rows(features, metric_);
  ESPALIER_ASSERT(queries.width == rows_.width, "queries are as wide as the rows");
  return found_in(rows, askers, queries, std::min(k, rows_.count), false);
}

Neighbours SimilaritySearch::nearest_others_in(const Cells& rows, const Cells& askers,
                                               std::int64_t k) const {
  return found_in(rows, askers, rows_, std::min(k, size() - 1), true);
}

}  // namespace espalier
