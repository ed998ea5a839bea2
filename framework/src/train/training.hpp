// The training loop: one for everything that can be trained.
#pragma once

#include "experiment/sections.hpp"
#include "results/trial_result.hpp"
#include "train/class_columns.hpp"
#include "train/cost.hpp"
#include "train/evaluation.hpp"
#include "train/forward.hpp"
#include "train/method_in_training.hpp"
#include "train/network.hpp"
#include "train/penalty.hpp"
#include "train/protocol.hpp"
#include "train/schedule.hpp"
#include "train/split.hpp"
#include "train/state_bank.hpp"
#include "train/values.hpp"
#include <cstdint>
#include <espalier/nn/optimizer.hpp>
#include <espalier/nn/parameters.hpp>
#include <functional>
#include <memory>
#include <span>
#include <unordered_map>
#include <vector>

namespace espalier {

// Where a training stands between two epochs. With the parameters and the optimiser's moments this
// is all that going on needs: random numbers are drawn from streams that the epoch names.
struct Progress {
  std::int64_t epoch = -1;      // the last one evaluated; 0 is before the first update
  std::int64_t best_epoch = 0;  // the chosen one
  double best_top1 = -1;        // its validation top-1, NaN without validation samples
  double seconds = 0;           // spent so far
  Cost forward;                 // of the updates so far
  Cost backward;
  std::vector<EpochMetrics> metrics;
};

// The graph made anew from what the nodes hold under parameters of the training.
struct GraphRefresh {
  std::int64_t every = 0;  // epochs; 0: never
  // Makes it of the features under these parameters; under none, of the frozen ones.
  std::function<void(const std::vector<Parameters::Entry>& parameters)> rebuild = {};
};

// What is trained, on what. The references must outlive the training.
struct Task {
  Network& network;
  Parameters& parameters;
  const Sources& sources;
  const Protocol& protocol;
  LabelledSamples train;  // the training samples of the protocol
  LabelledSamples val;    // may be empty
  const Penalty* penalty = nullptr;
  MethodInTraining method = {};
  ClassColumns classes = {};  // that samples can be of, theirs among them
  GraphRefresh refresh = {};
  // That give before the first update what `sources` do; null: none.
  const Sources* start = nullptr;
};

// train.optimizer on the cross-entropy of the training samples and the penalties. The epoch is
// chosen by validation top-1, the earlier of equals; it is the last where train.select says so, or
// where there are no validation samples.
class Training {
 public:
  Training(Task task, const TrainParams& params, std::int64_t seed);

  // Runs one epoch, or for the first call the evaluation before the first update, and adds a row to
  // the metrics for each split that has samples. Throws Error when a loss is not finite.
  void next();
  // All epochs are done, or `patience` of them brought nothing better. Without parameters there is
  // nothing to do after the first evaluation.
  [[nodiscard]] bool finished() const;

  [[nodiscard]] const Progress& progress() const noexcept { return progress_; }
  // The rows of the last evaluation.
  [[nodiscard]] std::span<const EpochMetrics> last_metrics() const;
  [[nodiscard]] const std::vector<Parameters::Entry>& best() const noexcept { return best_; }
  // Those under which the graph was made that it trains on now, and that the best epoch had; none
  // where it was made of the frozen features.
  [[nodiscard]] const std::vector<Parameters::Entry>& graph_of() const noexcept {
    return graph_of_;
  }
  [[nodiscard]] const std::vector<Parameters::Entry>& best_graph_of() const noexcept {
    return best_graph_of_;
  }
  [[nodiscard]] const Optimizer& optimizer() const noexcept { return *optimizer_; }

  [[nodiscard]] const MethodInTraining& method() const noexcept { return task_.method; }

  // Goes on from what a checkpoint holds; the parameters and what the method remembers are restored
  // by the caller.
  void resume(Progress progress, std::vector<Parameters::Entry> best,
              const std::vector<Parameters::Entry>& moments, std::int64_t steps);
  // The same of graphs that were made anew.
  void resume_graphs(std::vector<Parameters::Entry> now, std::vector<Parameters::Entry> best);

 private:
  // The places of the training samples in the order of the epoch, and its batches of them.
  [[nodiscard]] std::vector<std::int64_t> order_of(std::int64_t epoch) const;
  [[nodiscard]] std::vector<std::int64_t> batch_of(const std::vector<std::int64_t>& order,
                                                   std::int64_t step) const;
  void update_all();
  void update(const std::vector<std::int64_t>& batch, std::int64_t step);
  [[nodiscard]] std::unique_ptr<Forward> forward(const std::vector<std::int64_t>& batch,
                                                 std::int64_t epoch, std::int64_t step);
  [[nodiscard]] std::vector<std::uint64_t> node_numbers(
      const std::vector<std::int64_t>& batch) const;
  [[nodiscard]] bool refreshes_after(std::int64_t epoch) const;
  void refresh_graph();
  void use_graph_of(std::vector<Parameters::Entry> parameters);
  void draw_views();
  [[nodiscard]] std::vector<Look> looks_at(std::span<const std::size_t> samples) const;
  [[nodiscard]] bool begins_as_it_ends() const;
  [[nodiscard]] bool knows_no_edges() const;
  [[nodiscard]] bool answers_each_alone() const;
  void prepare();
  // Logits [training samples, classes].
  [[nodiscard]] at::Tensor training_logits(Evaluation& evaluation) const;
  void evaluate();
  [[nodiscard]] bool takes_last() const;
  double add_metrics(const std::string& split, const at::Tensor& logits,
                     const std::vector<std::int64_t>& labels);

  Task task_;
  TrainParams params_;
  std::int64_t seed_;
  std::vector<Scene> val_;
  StateBank bank_;
  std::unordered_map<std::size_t, std::int64_t> view_of_;  // in this epoch, where there are views
  std::int64_t steps_per_epoch_;
  Schedule schedule_;
  std::unique_ptr<Optimizer> optimizer_;
  Progress progress_;
  bool draws_ = false;                 // as far as was seen
  std::vector<std::int64_t> first_;    // batch of the next epoch, where it is prepared
  std::unique_ptr<Forward> prepared_;  // of that update; null: not made
  double lr_ = missing;
  std::vector<Parameters::Entry> best_;
  std::vector<Parameters::Entry> graph_of_;
  std::vector<Parameters::Entry> best_graph_of_;
};

}  // namespace espalier
