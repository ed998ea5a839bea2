// Everything that one trial leaves behind, in memory.
#pragma once

#include <cstdint>
#include <espalier/core/json.hpp>
#include <limits>
#include <string>
#include <vector>

namespace espalier {

inline constexpr double missing = std::numeric_limits<double>::quiet_NaN();

// One row of /metrics: a split after an epoch. Epoch 0 is before the first update.
struct EpochMetrics {
  std::int32_t epoch = 0;
  std::int64_t step = 0;
  std::string split;  // train | val
  double loss = missing;
  double top1 = missing;
  double lr = missing;
  double wall_s = missing;  // since the trial began
};

// What the model learned from.
struct TrainingSamples {
  std::vector<std::string> ids;
  std::vector<std::int32_t> labels;
};

// What the model said of one split, for those who want other metrics.
struct Predictions {
  std::string split;  // val | test
  std::vector<std::string> ids;
  std::vector<std::int32_t> labels;
  std::vector<std::int32_t> predicted;
  std::vector<float> logits;  // [ids, classes]
};

// Of a trial whose classes came in parts.
struct TaskResults {
  std::vector<std::int32_t> task_of_class;    // from 0, by label
  std::vector<std::vector<double>> accuracy;  // after task i of task j, NaN for j > i
};

// What a trial could have taken by its validation samples (experiment/tuning.hpp).
struct TunedCandidate {
  Json settings;  // {"train.lr": 0.01}
  double val_top1 = missing;
  std::string failure;  // empty: it did not fail
  bool chosen = false;
};

struct StageTime {
  std::string stage;
  double seconds = 0;
  bool cached = false;
};

struct TrialResult {
  std::string trial_id;
  std::string combo_id;
  std::int64_t seed = 0;
  Json config;
  std::vector<std::string> class_names;
  std::vector<std::string> new_class_names;  // held out from training

  double val_top1 = missing;  // of what is tested
  double test_top1 = missing;
  double test_top5 = missing;
  double test_macro_accuracy = missing;
  double test_macro_f1 = missing;
  double test_loss = missing;
  double test_ece = missing;
  double task_forgetting = missing;    // of a sequence of tasks
  double backward_transfer = missing;  // the same
  std::int64_t best_epoch = -1;
  std::int64_t epochs = 0;
  // With protocol.classes: base, of classes that were held out from training, among these.
  double new_top1 = missing;
  double harmonic_mean = missing;       // of test_top1 and new_top1
  double new_zero_shot_top1 = missing;  // of the encoder as it was loaded
  double forgetting = missing;          // new_zero_shot_top1 - new_top1
  std::int64_t trainable_parameters = 0;
  std::int64_t method_parameters = 0;  // of these, the PEFT method's
  double budget_deviation = missing;   // of these from budget.trainable, as a share of it
  std::int64_t total_parameters = 0;
  std::int64_t adapter_bytes = -1;    // of the files of adapter/
  std::int64_t optimizer_bytes = -1;  // of its moments
  double caption_score = missing;      // of the captions: train/caption_quality.hpp
  double caption_leak_rate = missing;
  double caption_flagged = missing;
  double train_seconds = missing;
  double prefix_seconds = missing;  // features and what enters the trained layers, cached or not
  double forward_seconds = missing;
  double backward_seconds = missing;  // computing again what was not kept among it
  double total_seconds = missing;
  // Of matrix products. Of pictures below the trained layers, all of them once, cached or not; of
  // all updates, those of a training that went on since then.
  double prefix_flops = missing;
  double forward_flops = missing;
  double backward_flops = missing;
  // That the encoder takes of a picture alone, and once the method is merged into its weights;
  // missing where no method reaches the image tower, or it cannot be merged.
  double inference_seconds = missing;
  double merged_inference_seconds = missing;
  std::int64_t peak_rss_bytes = 0;
  std::int64_t peak_cuda_bytes = -1;  // -1: on the CPU, or a LibTorch that does not say
  std::int64_t attempt = 1;

  std::vector<EpochMetrics> metrics;
  TrainingSamples training;
  std::vector<Predictions> predictions;
  TaskResults tasks;
  std::vector<TunedCandidate> candidates;
  std::string tuned;  // what was chosen of them: train.lr=0.01
  std::vector<StageTime> timing;
  Json graph = Json::object();        // statistics of the training graph
  Json method = Json::object();       // what the PEFT method found by itself
  Json environment = Json::object();  // host, CPU, LibTorch, BLAS, threads, plugins
};

}  // namespace espalier
