#include "train/metrics.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <espalier/core/error.hpp>
#include <limits>
#include <vector>

namespace espalier {
namespace {

constexpr std::size_t bins = 15;

struct Bin {
  double confidence = 0;
  double hits = 0;
  double count = 0;
};

struct Tally {
  double top1 = 0;
  double top5 = 0;
  double loss = 0;
  std::array<Bin, bins> calibration{};
  std::vector<double> hits;     // by true class
  std::vector<double> truths;   // by true class
  std::vector<double> guesses;  // by predicted class
};

std::size_t rank_of(std::span<const double> row, std::size_t label) {
  std::size_t before = 0;
  for (std::size_t c = 0; c < row.size(); ++c) {
    if (row[c] > row[label] || (row[c] == row[label] && c < label)) ++before;
  }
  return before;
}

double log_sum_exp(std::span<const double> row) {
  const double most = *std::max_element(row.begin(), row.end());
  double sum = 0;
  for (const double z : row) sum += std::exp(z - most);
  return most + std::log(sum);
}

void count(Tally& tally, std::span<const double> row, std::size_t label) {
  const auto guess = static_cast<std::size_t>(predicted_class(row));
  const std::size_t rank = rank_of(row, label);
  const double normalizer = log_sum_exp(row);
  const double hit = guess == label ? 1.0 : 0.0;
  tally.top1 += hit;
  tally.top5 += rank < 5 ? 1.0 : 0.0;
  tally.loss += normalizer - row[label];
  tally.hits[label] += hit;
  tally.truths[label] += 1;
  tally.guesses[guess] += 1;
  const double confidence = std::exp(row[guess] - normalizer);
  // NaN falls into the first bin, and makes the sum there NaN.
  const double place = std::fmax(std::ceil(confidence * static_cast<double>(bins)) - 1, 0);
  Bin& bin = tally.calibration[std::min(static_cast<std::size_t>(place), bins - 1)];
  bin.confidence += confidence;
  bin.hits += hit;
  bin.count += 1;
}

double macro_accuracy(const Tally& tally) {
  double sum = 0;
  double present = 0;
  for (std::size_t c = 0; c < tally.truths.size(); ++c) {
    if (tally.truths[c] == 0) continue;
    sum += tally.hits[c] / tally.truths[c];
    present += 1;
  }
  return sum / present;
}

double macro_f1(const Tally& tally) {
  double sum = 0;
  for (std::size_t c = 0; c < tally.truths.size(); ++c) {
    const double either = tally.truths[c] + tally.guesses[c];
    if (either > 0) sum += 2 * tally.hits[c] / either;
  }
  return sum / static_cast<double>(tally.truths.size());
}

double calibration_error(const Tally& tally) {
  double sum = 0;
  double all = 0;
  for (const Bin& bin : tally.calibration) {
    sum += std::abs(bin.hits - bin.confidence);
    all += bin.count;
  }
  return sum / all;
}

}  // namespace

std::int64_t predicted_class(std::span<const double> row) {
  return std::max_element(row.begin(), row.end()) - row.begin();
}

ClassificationMetrics classification_metrics(std::span<const double> logits,
                                             std::span<const std::int64_t> labels) {
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  if (labels.empty()) return {nan, nan, nan, nan, nan, nan};
  ESPALIER_ASSERT(logits.size() % labels.size() == 0, "one row of logits a label");
  const std::size_t classes = logits.size() / labels.size();
  const std::vector<double> zeros(classes, 0.0);
  Tally tally{.hits = zeros, .truths = zeros, .guesses = zeros};
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto label = static_cast<std::size_t>(labels[i]);
    ESPALIER_ASSERT(label < classes, "a label is a class");
    count(tally, logits.subspan(i * classes, classes), label);
  }
  const auto n = static_cast<double>(labels.size());
  return {.top1 = tally.top1 / n,
          .top5 = tally.top5 / n,
          .macro_accuracy = macro_accuracy(tally),
          .macro_f1 = macro_f1(tally),
          .loss = tally.loss / n,
          .ece = calibration_error(tally)};
}

}  // namespace espalier
