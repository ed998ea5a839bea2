// Learning rates over the updates of a trial.
#pragma once

#include <cstdint>
#include <string>

namespace espalier {

// Rises linearly from 0 over the first `warmup` updates, then follows half a cosine to 0 or stays.
// Equal to transformers' get_cosine_schedule_with_warmup and get_constant_schedule_with_warmup.
class Schedule {
 public:
  // `shape` is cosine or constant.
  Schedule(const std::string& shape, double peak, std::int64_t steps, std::int64_t warmup);

  // The rate that update `step` uses, counted from 0.
  [[nodiscard]] double rate(std::int64_t step) const;

 private:
  bool cosine_;
  double peak_;
  std::int64_t steps_;
  std::int64_t warmup_;
};

}  // namespace espalier
