// Exact search for similar rows.
//
// Tiled matrix products in float32 propose candidates, a rounding bound wide; a sum in double of
// the rows as given decides. So a similarity is the same number whatever tile, batch, thread count
// or BLAS it came from, s(i, j) equals s(j, i), equal rows tie exactly, and a row has cosine 1 with
// its copy. A row of zeros has cosine 0 with everything. A set with itself takes half the products,
// and never more than a tile of them is held.
#pragma once

#include <cstdint>
#include <espalier/core/random.hpp>
#include <espalier/tensor/tensor.hpp>
#include <string>
#include <vector>

namespace espalier {

// Of another row, and its cosine: also where rows are ranked by something else.
struct Neighbour {
  std::int64_t index = 0;
  double cosine = 0;

  bool operator==(const Neighbour&) const = default;
};
using Neighbours = std::vector<std::vector<Neighbour>>;  // of each row or query
using Cells = std::vector<std::vector<std::int64_t>>;    // the rows, or queries, of each cell

// By cosine, and by index where cosines are equal.
[[nodiscard]] inline bool nearer(const Neighbour& a, const Neighbour& b) {
  return a.cosine != b.cosine ? a.cosine > b.cosine : a.index < b.index;
}

// What ranks rows: the largest `cosine`, the smallest Euclidean distance (`l2`), the largest inner
// product (`ip`).
enum class Metric { cosine, l2, ip };
inline const std::vector<std::string> similarity_metrics = {"cosine", "l2", "ip"};
[[nodiscard]] Metric metric_of(const std::string& name);

// Two rows, first < second.
struct SimilarPair {
  double cosine = 0;
  std::int64_t first = 0;
  std::int64_t second = 0;
};

// float32 [count, width] rows made ready for products in a metric.
struct SimilarityRows {
  std::int64_t count = 0;
  std::int64_t width = 0;
  at::Tensor given;            // contiguous, on the CPU
  at::Tensor left, right;      // rows whose products are proposals
  std::vector<double> square;  // of the length
};

class SimilaritySearch {
 public:
  // Features float32 [n, d], any n >= 0, which must stay as they are. Throws Error where one is not
  // finite, or so large that distances and products overflow.
  explicit SimilaritySearch(const at::Tensor& features, Metric metric = Metric::cosine);

  [[nodiscard]] std::int64_t size() const { return rows_.count; }
  [[nodiscard]] Metric metric() const { return metric_; }
  [[nodiscard]] const at::Tensor& features() const { return rows_.given; }

  // The k best rows of each query [q, d], all where there are fewer: best first, of equals the
  // smaller index first.
  [[nodiscard]] Neighbours nearest(const at::Tensor& queries, std::int64_t k) const;
  // The same of each row among the others; or of some rows.
  [[nodiscard]] Neighbours nearest_others(std::int64_t k) const;
  [[nodiscard]] Neighbours nearest_others(const std::vector<std::int64_t>& of,
                                          std::int64_t k) const;

  // The same among those rows alone with which a query, or a row, shares a cell: cell c has the
  // rows of rows[c], and askers[c] look into it. No two cells share both a row and an asker.
  [[nodiscard]] Neighbours nearest_in(const Cells& rows, const Cells& askers,
                                      const at::Tensor& queries, std::int64_t k) const;
  [[nodiscard]] Neighbours nearest_others_in(const Cells& rows, const Cells& askers,
                                             std::int64_t k) const;

  // All rows with cosine >= tau of each query, ascending by index. Like everything below it takes
  // rows by cosine alone. Throws Error, as require_edges() does, where they are too many.
  [[nodiscard]] Neighbours within(const at::Tensor& queries, double tau) const;
  [[nodiscard]] Neighbours others_within(double tau) const;

  // The so many most similar pairs of rows, all where there are fewer, most similar first.
  [[nodiscard]] std::vector<SimilarPair> nearest_pairs(std::int64_t count) const;
  // Cosines of so many pairs of different rows drawn at random, ascending; none of one row.
  [[nodiscard]] std::vector<double> sampled_cosines(std::int64_t pairs, Random random) const;

  // Euclidean distances to what was found for each query, in its order.
  [[nodiscard]] std::vector<std::vector<double>> distances(const at::Tensor& queries,
                                                           const Neighbours& found) const;

 private:
  // What ranks, in units of a product: the cosine, the inner product, minus half the squared
  // distance.
  [[nodiscard]] double score(const SimilarityRows& queries, std::int64_t i, std::int64_t j) const;
  [[nodiscard]] double cosine(const SimilarityRows& queries, std::int64_t i, std::int64_t j) const;
  // How far a proposal for a query can be from its score.
  [[nodiscard]] double slack(const SimilarityRows& queries, std::int64_t i) const;
  [[nodiscard]] Neighbours found_in(const Cells& rows, const Cells& askers,
                                    const SimilarityRows& queries, std::int64_t wanted,
                                    bool others) const;
  [[nodiscard]] std::vector<Neighbour> ranked(const SimilarityRows& queries, std::int64_t i,
                                              const std::vector<std::int64_t>& rows) const;

  Metric metric_;
  SimilarityRows rows_;
  double longest_ = 0;  // length of the longest row
};

}  // namespace espalier
