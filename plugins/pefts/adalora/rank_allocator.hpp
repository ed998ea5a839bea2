// Which ranks of which maps a shrinking budget is spent on: Zhang et al. 2023, section 3.
#pragma once

#include <cstdint>
#include <espalier/nn/parameters.hpp>
#include <string>
#include <vector>

namespace espalier {

// B diag(E) A of one map: A [r, in], E [r, 1], B [out, r].
struct Triplets {
  std::string site;
  at::Tensor a;
  at::Tensor e;
  at::Tensor b;
};

// In steps of training, which are counted from 1.
struct RankSchedule {
  std::int64_t target_r = 0;    // of a map, on average, in the end
  std::int64_t tinit = 0;       // steps before the first rank is taken
  std::int64_t tfinal = 0;      // steps after the last
  std::int64_t delta_t = 1;     // steps from one allocation to the next
  std::int64_t total_step = 0;  // 0: as many as the training has
};

// A rank counts for what its entries of A, B and E are worth: |value * gradient|, smoothed over
// the steps with beta1, times how much that varies, smoothed with beta2.
class RankAllocator {
 public:
  RankAllocator(const RankSchedule& schedule, double beta1, double beta2)
      : schedule_(schedule), beta1_(beta1), beta2_(beta2) {}

  void add(Triplets triplets);
  // After an update, while its gradients are there: sets those entries of E to 0 that the budget
  // has no room for. What is taken while the budget shrinks may come back; after that it may not.
  // Throws Error where the schedule leaves no step for it.
  void updated(std::int64_t step, std::int64_t steps);
  // Ranks that all maps have together after a step, at least target_r each.
  [[nodiscard]] std::int64_t budget(std::int64_t step, std::int64_t total) const;
  // Smoothed worths, and which ranks were kept last, in their own storage.
  [[nodiscard]] std::vector<Parameters::Entry> memory() const;

 private:
  struct Smoothed {
    at::Tensor worth;
    at::Tensor variation;
  };
  struct Map {
    Triplets triplets;
    Smoothed a, e, b;
    at::Tensor kept;  // [r, 1], 1 or 0
  };
  void smooth(const at::Tensor& parameter, Smoothed& into) const;
  void allocate(std::int64_t budget);
  void clear_taken();

  RankSchedule schedule_;
  double beta1_;
  double beta2_;
  std::vector<Map> maps_;
};

}  // namespace espalier
