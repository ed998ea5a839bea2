// The rows that may be among the best of each query, while proposals come in.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

namespace espalier {

// A proposal lies within a query's slack of the exact score of its row. A row is forgotten only
// when `wanted` others are certainly better, so the best are the same in whatever order proposals
// come, and however their sums were rounded.
class Candidates {
 public:
  using Score = std::function<double(std::int64_t query, std::int64_t row)>;

  Candidates(std::vector<double> slack, std::int64_t wanted, Score exact);

  // Proposals below a query's floor need not be offered.
  [[nodiscard]] const float* floors() const noexcept { return floors_.data(); }
  // Not for one query by two threads at a time.
  void offer(std::int64_t query, std::int64_t row, float proposal);
  // At most `wanted` rows: by exact score, of equals the smaller first.
  [[nodiscard]] std::vector<std::int64_t> best(std::int64_t query) const;

 private:
  struct Proposal {
    float value;
    std::int32_t row;
  };
  void prune(std::int64_t query);
  void resolve(std::int64_t query);

  std::vector<double> slack_;
  std::size_t wanted_;
  std::size_t limit_;
  Score exact_;
  std::vector<float> floors_;
  std::vector<std::vector<Proposal>> proposals_;
};

}  // namespace espalier
