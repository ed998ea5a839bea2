#include "train/task_metrics.hpp"

#include <algorithm>
#include <limits>

namespace espalier {
namespace {

template <class OfTask>
double mean_of_earlier_tasks(const AccuracyMatrix& accuracy, const OfTask& of_task) {
  if (accuracy.size() < 2) return std::numeric_limits<double>::quiet_NaN();
  double sum = 0;
  for (std::size_t j = 0; j + 1 < accuracy.size(); ++j) sum += of_task(j);
  return sum / static_cast<double>(accuracy.size() - 1);
}

}  // namespace

double backward_transfer(const AccuracyMatrix& accuracy) {
  return mean_of_earlier_tasks(accuracy,
                               [&](std::size_t j) { return accuracy.back()[j] - accuracy[j][j]; });
}

double forgetting(const AccuracyMatrix& accuracy) {
  return mean_of_earlier_tasks(accuracy, [&](std::size_t j) {
    double best = accuracy[j][j];
    for (std::size_t i = j; i + 1 < accuracy.size(); ++i) best = std::max(best, accuracy[i][j]);
    return best - accuracy.back()[j];
  });
}

}  // namespace espalier
