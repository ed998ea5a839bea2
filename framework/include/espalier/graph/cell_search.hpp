// Search for similar rows in a part of the space: an inverted file (Jegou, Douze and Schmid 2011,
// section IV, without codes).
//
// Centroids divide the space into cells, and each row lies in the cell whose centroid is nearest to
// it. A query is compared with the rows of the `probes` cells that are nearest to it and with no
// others: a tenth of the cells takes about a tenth of the products. What it finds there is ranked
// as SimilaritySearch ranks it, exactly; what it misses lies in other cells. With as many probes as
// cells it misses nothing.
#pragma once

#include <cstdint>
#include <espalier/core/random.hpp>
#include <espalier/graph/similarity.hpp>
#include <espalier/tensor/tensor.hpp>

namespace espalier {

class CellSearch {
 public:
  // The centroids [cells, d] are compared with rows and queries in the metric of `exact`. At least
  // one where there are rows; probes >= 1.
  CellSearch(SimilaritySearch exact, const at::Tensor& centroids, std::int64_t probes);

  [[nodiscard]] std::int64_t size() const { return exact_.size(); }
  [[nodiscard]] std::int64_t cells() const { return centroids_.size(); }

  // As SimilaritySearch has them: fewer than k where the cells hold no more. What a query finds
  // follows from the query, the rows and the centroids alone.
  [[nodiscard]] Neighbours nearest(const at::Tensor& queries, std::int64_t k) const;
  [[nodiscard]] Neighbours nearest_others(std::int64_t k) const;

  // Recall@k: of the k nearest others that `most` rows, drawn at random, really have, the share
  // that is among what nearest_others(k) found. 1 where there are none.
  [[nodiscard]] double recall(const Neighbours& found, std::int64_t k, std::int64_t most,
                              Random random) const;

 private:
  // Who looks into each cell.
  [[nodiscard]] Cells askers(const Neighbours& probed) const;

  SimilaritySearch exact_;
  SimilaritySearch centroids_;
  std::int64_t probes_;
  Cells rows_;    // of each cell
  Cells askers_;  // rows that look into each cell
};

}  // namespace espalier
