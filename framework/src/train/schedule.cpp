#include "train/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace espalier {

Schedule::Schedule(const std::string& shape, double peak, std::int64_t steps, std::int64_t warmup)
    : cosine_(shape == "cosine"), peak_(peak), steps_(steps), warmup_(warmup) {}

double Schedule::rate(std::int64_t step) const {
  if (step < warmup_) {
    return peak_ * static_cast<double>(step) /
           static_cast<double>(std::max<std::int64_t>(1, warmup_));
  }
  if (!cosine_) return peak_;
  const double left = static_cast<double>(std::max<std::int64_t>(1, steps_ - warmup_));
  const double progress = static_cast<double>(step - warmup_) / left;
  return peak_ * std::max(0.0, 0.5 * (1.0 + std::cos(std::numbers::pi * progress)));
}

}  // namespace espalier
