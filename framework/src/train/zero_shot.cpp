#include "train/zero_shot.hpp"

#include <ATen/TensorOperators.h>

#include "train/class_features.hpp"

#include "trial_run_internal.hpp"

namespace espalier {
namespace {

class ZeroShotTrial : TrialRun {
 public:
  using TrialRun::TrialRun;

  std::optional<TrialResult> run();

 private:
  struct Features {
    at::Tensor val;
    at::Tensor test;
    ClassFeatures classes;
  };
  std::optional<Features> make_features();
  [[nodiscard]] at::Tensor logits(const ClassFeatures& classes, const at::Tensor& images) const;
  void describe(const at::Tensor& val_logits);
};

std::optional<ZeroShotTrial::Features> ZeroShotTrial::make_features() {
  const TrialClock::time_point start = TrialClock::now();
  FeatureStages stages = feature_stages();
  std::vector<std::size_t> samples = split_.val.samples;
  samples.insert(samples.end(), split_.test.samples.begin(), split_.test.samples.end());
  const std::optional<at::Tensor> images = stages.images(samples);
  if (!images) return std::nullopt;
  std::optional<ClassFeatures> classes = stages.classes(
      class_prompts(section<HeadParams>("head"), component("dataset").at("use"), *dataset_));
  if (!classes) return std::nullopt;
  note(stages, start);
  const auto val = static_cast<std::int64_t>(split_.val.samples.size());
  return Features{.val = images->slice(0, 0, val),
                  .test = images->slice(0, val),
                  .classes = std::move(*classes)};
}

at::Tensor ZeroShotTrial::logits(const ClassFeatures& classes, const at::Tensor& images) const {
  const bool of_scores = section<HeadParams>("head").average == "scores";
  return of_scores ? classes.mean_logits(images) : classes.logits(images);
}

void ZeroShotTrial::describe(const at::Tensor& val_logits) {
  const ClassificationMetrics val = metrics_of(val_logits, split_.val.labels);
  result_.val_top1 = val.top1;
  result_.best_epoch = 0;
  result_.train_seconds = 0;
  EpochMetrics row;
  row.split = "val";
  row.loss = val.loss;
  row.top1 = val.top1;
  result_.metrics = {row};
  if (hooks_.epoch) hooks_.epoch(row);
}

std::optional<TrialResult> ZeroShotTrial::run() {
  draw_data();
  std::optional<Features> features = make_features();
  if (!features) return std::nullopt;
  const TrialClock::time_point start = TrialClock::now();
  begin("test");
  const at::Tensor val_logits = logits(features->classes, features->val);
  describe(val_logits);
  TestSet test({.x = std::move(features->test)}, std::move(split_.test.labels),
               ids(split_.test.samples));
  TestSet::Verdict verdict = std::move(test).evaluate(
      [&](const Nodes& queries) { return logits(features->classes, queries.x); });
  time("test", start);
  return conclude(val_logits, std::move(verdict), 0);
}

}  // namespace

std::optional<TrialResult> run_zero_shot(const TrialRequest& request, const TrialHooks& hooks) {
  return ZeroShotTrial(request, hooks).run();
}

}  // namespace espalier
