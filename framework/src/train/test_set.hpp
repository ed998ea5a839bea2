// The test split, which one evaluation at the end of a trial may open.
#pragma once

#include "results/trial_result.hpp"
#include "train/class_parts.hpp"
#include "train/metrics.hpp"
#include "train/split.hpp"
#include "train/task_metrics.hpp"
#include <cstddef>
#include <espalier/tensor/tensor.hpp>
#include <functional>
#include <span>
#include <string>
#include <vector>

namespace espalier {

// What was said of the test samples on the way, before their labels can be read.
struct TaskTrail {
  const ClassParts& parts;
  bool told = false;  // whether a sample's part is, so that the choice is among its classes
  std::vector<at::Tensor> logits;  // [samples, classes] after each task but the last
};

// Sample numbers, ids and labels, and the only key to SealedLabels. evaluate() uses it up, so
// nothing can be chosen by its answer.
class TestSet {
 public:
  // `name` is that of its predictions.
  TestSet(SealedSamples test, std::vector<std::string> ids, std::string name = "test");
  TestSet(TestSet&&) = default;
  TestSet(const TestSet&) = delete;
  TestSet& operator=(const TestSet&) = delete;

  [[nodiscard]] const std::vector<std::size_t>& samples() const noexcept { return test_.samples; }

  struct Verdict {
    ClassificationMetrics metrics;
    Predictions predictions;
    AccuracyMatrix tasks;
  };
  // `logits` says [samples, classes] of the test samples; `trail` is of a sequence of tasks.
  using Logits = std::function<at::Tensor(std::span<const std::size_t> samples)>;
  [[nodiscard]] Verdict evaluate(const Logits& logits, const TaskTrail* trail = nullptr) &&;

 private:
  SealedSamples test_;
  std::vector<std::string> ids_;
  std::string name_;
};

// What a trial's result says of it.
void record_verdict(TestSet::Verdict verdict, TrialResult& result);

// Of logits [samples, classes].
[[nodiscard]] ClassificationMetrics metrics_of(const at::Tensor& logits,
                                               const std::vector<std::int64_t>& labels);
[[nodiscard]] Predictions predictions_of(std::string split, std::vector<std::string> ids,
                                         const std::vector<std::int64_t>& labels,
                                         const at::Tensor& logits);

}  // namespace espalier
