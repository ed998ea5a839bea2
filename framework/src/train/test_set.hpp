// The test split, which one evaluation at the end of a trial may open.
#pragma once

#include "results/trial_result.hpp"
#include "train/metrics.hpp"
#include "train/nodes.hpp"
#include "train/split.hpp"
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace espalier {

// Holds the only key to SealedLabels. evaluate() uses it up, so nothing can be chosen by its
// answer.
class TestSet {
 public:
  TestSet(Nodes nodes, SealedLabels labels, std::vector<std::string> ids);
  TestSet(TestSet&&) = default;
  TestSet(const TestSet&) = delete;
  TestSet& operator=(const TestSet&) = delete;

  // The nodes without labels where the protocol is transductive, else nothing.
  [[nodiscard]] std::optional<Nodes> unlabelled(const std::string& protocol) const;

  struct Verdict {
    ClassificationMetrics metrics;
    Predictions predictions;
  };
  // `logits` says [samples, classes] of the test nodes.
  [[nodiscard]] Verdict evaluate(const std::function<at::Tensor(const Nodes&)>& logits) &&;

 private:
  Nodes nodes_;
  SealedLabels labels_;
  std::vector<std::string> ids_;
};

// Of logits [samples, classes].
[[nodiscard]] ClassificationMetrics metrics_of(const at::Tensor& logits,
                                               const std::vector<std::int64_t>& labels);
[[nodiscard]] Predictions predictions_of(std::string split, std::vector<std::string> ids,
                                         const std::vector<std::int64_t>& labels,
                                         const at::Tensor& logits);

}  // namespace espalier
