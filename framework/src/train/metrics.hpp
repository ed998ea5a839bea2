// What a classifier's logits are worth.
#pragma once

#include <cstdint>
#include <span>

namespace espalier {

// All over the samples given, in double. Of equal logits the smaller class index ranks first.
struct ClassificationMetrics {
  double top1 = 0;
  double top5 = 0;            // 1 where there are at most 5 classes
  double macro_accuracy = 0;  // mean recall of the classes that occur
  double macro_f1 = 0;        // mean over all classes; one neither true nor predicted counts 0
  double loss = 0;            // mean negative log-likelihood
  double ece = 0;             // expected calibration error, 15 bins (low, high] of the confidence
};

// logits [samples, classes], row after row; labels in [0, classes). Without samples everything is
// NaN.
[[nodiscard]] ClassificationMetrics classification_metrics(std::span<const double> logits,
                                                           std::span<const std::int64_t> labels);

// Of each row the class with the largest logit.
[[nodiscard]] std::int64_t predicted_class(std::span<const double> row);

}  // namespace espalier
