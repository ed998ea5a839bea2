#include "results/paired.hpp"
#include <algorithm>
#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <cmath>
#include <numeric>
#include <random>

namespace espalier {
namespace {

// Sums of decimals are not exact: those that differ by less are the same.
double rounding_of(const std::vector<double>& differences) {
  double magnitude = 0;
  for (const double d : differences) magnitude += std::abs(d);
  return 1e-12 * magnitude;
}

// Of the choices of signs from `at` on, those whose sum with `sum` is at least `bound` from zero.
std::int64_t extreme_choices(const std::vector<double>& differences, std::size_t at, double sum,
                             double bound) {
  if (at == differences.size()) return std::abs(sum) >= bound ? 1 : 0;
  return extreme_choices(differences, at + 1, sum + differences[at], bound) +
         extreme_choices(differences, at + 1, sum - differences[at], bound);
}

std::int64_t extreme_draws(const std::vector<double>& differences, double bound) {
  std::mt19937_64 random(20'260'101);
  std::int64_t extreme = 0;
  for (std::int64_t draw = 0; draw < sign_flip_draws; ++draw) {
    double sum = 0;
    for (const double d : differences) sum += (random() >> 63) != 0 ? d : -d;
    if (std::abs(sum) >= bound) ++extreme;
  }
  return extreme;
}

double power_of(std::size_t pairs, double effect) {
  const auto n = static_cast<double>(pairs);
  const boost::math::students_t null(n - 1);
  const double critical = boost::math::quantile(null, 0.975);
  const boost::math::non_central_t shifted(n - 1, effect * std::sqrt(n));
  return boost::math::cdf(boost::math::complement(shifted, critical)) +
         boost::math::cdf(shifted, -critical);
}

}  // namespace

SignFlip sign_flip(const std::vector<double>& differences) {
  if (differences.empty()) return {};
  const double seen = std::accumulate(differences.begin(), differences.end(), 0.0);
  const double bound = std::abs(seen) - rounding_of(differences);
  if (differences.size() <= most_exact_pairs) {
    const auto extreme = static_cast<double>(extreme_choices(differences, 0, 0, bound));
    return {std::ldexp(extreme, -static_cast<int>(differences.size())), true};
  }
  const auto extreme = static_cast<double>(extreme_draws(differences, bound));
  return {(extreme + 1) / static_cast<double>(sign_flip_draws + 1), false};
}

double smallest_sign_flip_p(std::size_t pairs) {
  if (pairs == 0) return missing;
  if (pairs > most_exact_pairs) return 1 / static_cast<double>(sign_flip_draws + 1);
  return std::ldexp(2.0, -static_cast<int>(pairs));
}

std::vector<double> holm_corrected(const std::vector<double>& p) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < p.size(); ++i) {
    if (!std::isnan(p[i])) order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return p[a] < p[b]; });
  std::vector<double> corrected(p.size(), missing);
  double largest = 0;
  for (std::size_t j = 0; j < order.size(); ++j) {
    largest = std::max(largest, static_cast<double>(order.size() - j) * p[order[j]]);
    corrected[order[j]] = std::min(1.0, largest);
  }
  return corrected;
}

double detectable_effect(std::size_t pairs) {
  if (pairs < 3) return missing;
  double low = 0;
  double high = 10;
  while (high - low > 1e-6) {
    const double middle = (low + high) / 2;
    (power_of(pairs, middle) < 0.8 ? low : high) = middle;
  }
  return high;
}

}  // namespace espalier
