// Exact cosine search.
//
// Tiled matrix products in float32 propose candidates, a rounding bound wide; a dot product in
// double of the rows as given decides. So a similarity is the same number whatever tile, batch,
// thread count or BLAS it came from, s(i, j) equals s(j, i), equal rows tie exactly, and a row has
// cosine 1 with its copy. A row of zeros has cosine 0 with everything.
#pragma once

#include <cstdint>
#include <espalier/core/random.hpp>
#include <espalier/tensor/tensor.hpp>
#include <vector>

namespace espalier {

struct Neighbour {
  std::int64_t index = 0;
  double cosine = 0;

  bool operator==(const Neighbour&) const = default;
};

// By cosine, and by index where cosines are equal.
[[nodiscard]] inline bool nearer(const Neighbour& a, const Neighbour& b) {
  return a.cosine != b.cosine ? a.cosine > b.cosine : a.index < b.index;
}

class CosineSearch {
 public:
  // Features float32 [n, d], any n >= 0; copied.
  explicit CosineSearch(const at::Tensor& features);

  [[nodiscard]] std::int64_t size() const { return rows_.count; }

  // The k most similar rows of each query [q, d], all where there are fewer: most similar first, of
  // equals the smaller index first.
  [[nodiscard]] std::vector<std::vector<Neighbour>> nearest(const at::Tensor& queries,
                                                            std::int64_t k) const;
  // The same of each row among the others.
  [[nodiscard]] std::vector<std::vector<Neighbour>> nearest_others(std::int64_t k) const;

  // All rows with cosine >= tau of each query, ascending by index.
  [[nodiscard]] std::vector<std::vector<Neighbour>> within(const at::Tensor& queries,
                                                           double tau) const;
  [[nodiscard]] std::vector<std::vector<Neighbour>> others_within(double tau) const;

  // The threshold that gives the rows `degree` others on average: the middle between the
  // (n * degree)-th largest of the n (n - 1) cosines and the next, as in the graph diffusion of
  // Gasteiger et al. 2019 without the diagonal. Beyond the number of pairs, -1.
  [[nodiscard]] double tau_for_degree(double degree) const;
  // An estimate of it from so many pairs drawn at random: the quantile at 1 - degree / (n - 1).
  [[nodiscard]] double sampled_tau(double degree, std::int64_t pairs, Random random) const;

 private:
  struct Rows {
    std::int64_t count = 0;
    std::int64_t width = 0;
    at::Tensor given;            // float32 [count, width], contiguous, on the CPU
    at::Tensor unit;             // the same with length 1
    std::vector<double> square;  // of the length
  };
  static Rows prepare(const at::Tensor& features);
  [[nodiscard]] double cosine(const Rows& queries, std::int64_t i, std::int64_t j) const;
  [[nodiscard]] double slack() const;

  [[nodiscard]] at::Tensor tile(const Rows& queries, std::int64_t first) const;
  template <class Take>
  void scan(const Rows& queries, bool others, const Take& take) const;
  [[nodiscard]] std::vector<std::vector<Neighbour>> nearest(const Rows& queries, std::int64_t k,
                                                            bool others) const;
  [[nodiscard]] std::vector<std::vector<Neighbour>> within(const Rows& queries, double tau,
                                                           bool others) const;

  Rows rows_;
};

}  // namespace espalier
