#include "review/audit_statistics.hpp"

#include <algorithm>
#include <boost/math/distributions/beta.hpp>
#include <boost/math/distributions/normal.hpp>
#include <cmath>
#include <espalier/core/error.hpp>
#include <map>

namespace espalier {
namespace {

double two_sided(double level) {
  return boost::math::quantile(boost::math::normal(), 0.5 + level / 2);
}

double beta_quantile(double probability, std::int64_t a, std::int64_t b) {
  return boost::math::quantile(
      boost::math::beta_distribution<>(static_cast<double>(a), static_cast<double>(b)),
      probability);
}

void check_counts(std::int64_t wrong, std::int64_t looked_at) {
  ESPALIER_ASSERT(0 <= wrong && wrong <= looked_at, "so many of them");
}

Share wilson_of(double p, double n, double z) {
  const double middle = p + z * z / (2 * n);
  const double spread = z * std::sqrt(p * (1 - p) / n + z * z / (4 * n * n));
  const double scale = 1 + z * z / n;
  return {p, std::max(0.0, (middle - spread) / scale), std::min(1.0, (middle + spread) / scale)};
}

}  // namespace

Share wilson(std::int64_t wrong, std::int64_t looked_at, double level) {
  check_counts(wrong, looked_at);
  if (looked_at == 0) return {};
  const auto n = static_cast<double>(looked_at);
  return wilson_of(static_cast<double>(wrong) / n, n, two_sided(level));
}

Share clopper_pearson(std::int64_t wrong, std::int64_t looked_at, double level) {
  check_counts(wrong, looked_at);
  if (looked_at == 0) return {};
  const double tail = (1 - level) / 2;
  const std::int64_t right = looked_at - wrong;
  return {static_cast<double>(wrong) / static_cast<double>(looked_at),
          wrong == 0 ? 0.0 : beta_quantile(tail, wrong, right + 1),
          right == 0 ? 1.0 : beta_quantile(1 - tail, wrong + 1, right)};
}

double at_most(std::int64_t wrong, std::int64_t looked_at, double level) {
  check_counts(wrong, looked_at);
  return wrong == looked_at ? 1.0 : beta_quantile(level, wrong + 1, looked_at - wrong);
}

std::optional<Share> stratified(std::span<const Stratum> strata, double level) {
  double all = 0;
  for (const Stratum& stratum : strata) all += static_cast<double>(stratum.size);
  if (all == 0) return std::nullopt;
  double estimate = 0, variance = 0;
  for (const Stratum& stratum : strata) {
    check_counts(stratum.wrong, stratum.looked_at);
    if (stratum.size == 0) continue;
    if (stratum.looked_at == 0) return std::nullopt;
    const double weight = static_cast<double>(stratum.size) / all;
    const auto n = static_cast<double>(stratum.looked_at), k = static_cast<double>(stratum.wrong);
    const bool extreme = stratum.wrong == 0 || stratum.wrong == stratum.looked_at;
    const double p = extreme ? (k + 1) / (n + 2) : k / n;
    const double left = std::max(0.0, 1 - n / static_cast<double>(stratum.size));
    estimate += weight * k / n;
    variance += weight * weight * p * (1 - p) / n * left;
  }
  const double spread = two_sided(level) * std::sqrt(variance);
  return Share{estimate, std::max(0.0, estimate - spread), std::min(1.0, estimate + spread)};
}

std::int64_t looks_needed(double rate, double half_width, std::int64_t captions, double level) {
  const double z = two_sided(level);
  const auto wide = [&](std::int64_t n) {
    const Share share = wilson_of(rate, static_cast<double>(n), z);
    return (share.high - share.low) / 2 > half_width;
  };
  std::int64_t low = 1, high = 2;
  while (wide(high) && high < (std::int64_t{1} << 40)) high *= 2;
  while (low < high) {
    const std::int64_t middle = low + (high - low) / 2;
    if (wide(middle)) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (captions <= 0) return low;
  const auto n = static_cast<double>(low);
  const double of_a_set = n / (1 + (n - 1) / static_cast<double>(captions));
  return std::min(captions, static_cast<std::int64_t>(std::ceil(of_a_set)));
}

Agreement agreement(const Verdicts& verdicts) {
  Agreement result;
  std::map<int, double> kinds;
  double values = 0, agreeing = 0, pairs = 0, observed_disagreement = 0;
  for (const std::vector<int>& one : verdicts) {
    if (one.size() < 2) continue;
    ++result.captions;
    const auto m = static_cast<double>(one.size());
    double same = 0;
    for (const int a : one) {
      same += static_cast<double>(std::count(one.begin(), one.end(), a)) - 1;
      kinds[a] += 1;
    }
    values += m;
    agreeing += same;
    pairs += m * (m - 1);
    observed_disagreement += (m * (m - 1) - same) / (m - 1);
  }
  if (pairs == 0) return result;
  double squares = 0;
  for (const auto& [kind, count] : kinds) squares += count * count;
  result.observed = agreeing / pairs;
  result.expected = (squares - values) / (values * (values - 1));
  const double chance = (values * values - squares) / (values - 1);
  if (chance > 0) result.alpha = 1 - observed_disagreement / chance;
  return result;
}

Kappa cohen_kappa(std::span<const std::pair<int, int>> pairs) {
  std::map<int, double> first, second;
  const auto n = static_cast<double>(pairs.size());
  double agree = 0;
  for (const auto& [a, b] : pairs) {
    first[a] += 1 / n;
    second[b] += 1 / n;
    agree += a == b ? 1 / n : 0;
  }
  double chance = 0;
  for (const auto& [kind, share] : first) chance += share * second[kind];
  return {.observed = agree,
          .expected = chance,
          .kappa = chance >= 1 ? 1.0 : (agree - chance) / (1 - chance)};
}

std::optional<double> auc(std::span<const double> wrong, std::span<const double> right) {
  if (wrong.empty() || right.empty()) return std::nullopt;
  std::vector<double> sorted(right.begin(), right.end());
  std::sort(sorted.begin(), sorted.end());
  double above = 0;
  for (const double score : wrong) {
    const auto [first, last] = std::equal_range(sorted.begin(), sorted.end(), score);
    above += static_cast<double>(sorted.end() - last) + static_cast<double>(last - first) / 2;
  }
  return above / (static_cast<double>(wrong.size()) * static_cast<double>(right.size()));
}

}  // namespace espalier
