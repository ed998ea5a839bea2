#include "train/stage_filling.hpp"

#include <algorithm>

namespace espalier {
namespace {

constexpr double first_part_seconds = 15;
// A part may take this share of the time spent so far.
constexpr double growth = 0.1;
constexpr std::int64_t largest_part = 64 << 20;

}  // namespace

bool PartPace::due(std::int64_t bytes) const {
  const Clock::time_point now = Clock::now();
  const std::chrono::duration<double> since = now - last_;
  const std::chrono::duration<double> total = now - start_;
  return bytes >= largest_part ||
         since.count() > std::max(first_part_seconds, growth * total.count());
}

}  // namespace espalier
