#include "train/test_set.hpp"

#include <espalier/core/error.hpp>
#include <span>

namespace espalier {
namespace {

std::vector<double> values_of(const at::Tensor& logits) {
  const at::Tensor flat = logits.detach().cpu().to(at::kDouble).contiguous();
  return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
}

// Top-1 of the samples of each part; NaN of those after `last`.
std::vector<double> accuracies(const at::Tensor& logits, const std::vector<std::int64_t>& labels,
                               const ClassParts& parts, std::size_t last) {
  const std::vector<double> values = values_of(logits);
  const auto classes = static_cast<std::size_t>(logits.size(1));
  std::vector<double> right(parts.count(), 0.0), all(parts.count(), 0.0);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::span row = std::span(values).subspan(i * classes, classes);
    const std::size_t part = parts.part_of(labels[i]);
    all[part] += 1;
    right[part] += predicted_class(row) == labels[i] ? 1 : 0;
  }
  for (std::size_t part = 0; part < right.size(); ++part) {
    right[part] = part > last ? missing : right[part] / all[part];
  }
  return right;
}

}  // namespace

TestSet::TestSet(SealedSamples test, std::vector<std::string> ids, std::string name)
    : test_(std::move(test)), ids_(std::move(ids)), name_(std::move(name)) {
  ESPALIER_ASSERT(test_.labels.size() == ids_.size(), "one label a sample");
}

TestSet::Verdict TestSet::evaluate(const Logits& logits, const TaskTrail* trail) && {
  const std::vector<std::int64_t>& labels = test_.labels.labels_;
  const auto heard = [&](const at::Tensor& rows) {
    return trail != nullptr && trail->told ? trail->parts.told(rows, labels) : rows;
  };
  const at::Tensor answers = logits(test_.samples);
  const at::Tensor rows = heard(answers);
  AccuracyMatrix tasks;
  if (trail != nullptr) {
    std::vector<at::Tensor> all = trail->logits;
    all.push_back(answers);
    for (std::size_t last = 0; last < all.size(); ++last) {
      tasks.push_back(accuracies(heard(all[last]), labels, trail->parts, last));
    }
  }
  return {.metrics = metrics_of(rows, labels),
          .predictions = predictions_of(name_, std::move(ids_), labels, rows),
          .tasks = std::move(tasks)};
}

void record_verdict(TestSet::Verdict verdict, TrialResult& result) {
  result.test_top1 = verdict.metrics.top1;
  result.test_top5 = verdict.metrics.top5;
  result.test_macro_accuracy = verdict.metrics.macro_accuracy;
  result.test_macro_f1 = verdict.metrics.macro_f1;
  result.test_loss = verdict.metrics.loss;
  result.test_ece = verdict.metrics.ece;
  result.predictions.push_back(std::move(verdict.predictions));
  if (verdict.tasks.size() < 2) return;
  result.task_forgetting = forgetting(verdict.tasks);
  result.backward_transfer = backward_transfer(verdict.tasks);
  result.tasks.accuracy = std::move(verdict.tasks);
}

ClassificationMetrics metrics_of(const at::Tensor& logits,
                                 const std::vector<std::int64_t>& labels) {
  return classification_metrics(values_of(logits), labels);
}

Predictions predictions_of(std::string split, std::vector<std::string> ids,
                           const std::vector<std::int64_t>& labels, const at::Tensor& logits) {
  Predictions out{.split = std::move(split),
                  .ids = std::move(ids),
                  .labels = {},
                  .predicted = {},
                  .logits = {}};
  const std::vector<double> values = values_of(logits);
  const auto classes = static_cast<std::size_t>(logits.size(1));
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::span row = std::span(values).subspan(i * classes, classes);
    out.labels.push_back(static_cast<std::int32_t>(labels[i]));
    out.predicted.push_back(static_cast<std::int32_t>(predicted_class(row)));
    for (const double z : row) out.logits.push_back(static_cast<float>(z));
  }
  return out;
}

}  // namespace espalier
