// The training loop.
#pragma once

#include "experiment/sections.hpp"
#include "results/trial_result.hpp"
#include "train/adamw.hpp"
#include "train/graph_protocol.hpp"
#include "train/model.hpp"
#include "train/schedule.hpp"
#include <cstdint>
#include <espalier/nn/parameters.hpp>
#include <functional>
#include <vector>

namespace espalier {

// Where a training stands between two epochs. With the parameters and the optimiser's moments this
// is all that going on needs: random numbers are drawn from streams that the epoch names.
struct Progress {
  std::int64_t epoch = -1;      // the last one evaluated; 0 is before the first update
  std::int64_t best_epoch = 0;  // by validation top-1, the earlier of equals
  double best_top1 = -1;
  double seconds = 0;  // spent so far
  std::vector<EpochMetrics> metrics;
};

struct TrainingLabels {
  std::vector<std::int64_t> train;
  std::vector<std::int64_t> val;
};

// AdamW on the cross-entropy of the training samples, chosen by validation top-1.
class Training {
 public:
  // The references must outlive it.
  Training(Model& model, Parameters& parameters, const GraphProtocol& protocol,
           TrainingLabels labels, const TrainParams& params, std::int64_t seed);

  // Runs one epoch, or for the first call the evaluation before the first update, and adds two rows
  // to the metrics. Throws Error when a loss is not finite.
  void next();
  // All epochs are done, or `patience` of them brought nothing better.
  [[nodiscard]] bool finished() const;

  [[nodiscard]] const Progress& progress() const noexcept { return progress_; }
  [[nodiscard]] const std::vector<Parameters::Entry>& best() const noexcept { return best_; }
  [[nodiscard]] const AdamW& optimizer() const noexcept { return optimizer_; }

  // Goes on from what a checkpoint holds; the parameters are restored by the caller.
  void resume(Progress progress, std::vector<Parameters::Entry> best,
              const std::vector<Parameters::Entry>& moments, std::int64_t steps);

 private:
  void update_all();
  void update(const std::vector<std::int64_t>& samples, std::int64_t step);
  void evaluate();
  [[nodiscard]] at::Tensor training_logits(const std::vector<std::int64_t>& samples,
                                           std::uint64_t dropout) const;

  Model& model_;
  Parameters& parameters_;
  const GraphProtocol& protocol_;
  TrainingLabels labels_;
  TrainParams params_;
  std::int64_t seed_;
  std::int64_t steps_per_epoch_;
  Schedule schedule_;
  AdamW optimizer_;
  Progress progress_;
  double lr_ = missing;
  std::vector<Parameters::Entry> best_;
};

}  // namespace espalier
