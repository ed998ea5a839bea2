// What a trial leaves: its answers, what is said of it, its adapter.
#include "train/adapter_folder.hpp"
#include "train/component_call.hpp"
#include "train/describe.hpp"
#include "train/evaluation.hpp"
#include "train/new_classes.hpp"
#include "train/test_set.hpp"
#include "train/trial_run.hpp"
#include <espalier/graph/statistics.hpp>
#include <utility>

namespace espalier {

void TrialRun::describe() {
  time("train", tasks_->progress().seconds);
  if (recipe_.graph != "none") {
    const Scene& scene = tasks_->protocol().training();
    result_.graph = describe_graph(tasks_->graph(), scene.graph, std::ssize(scene.samples));
  } else if (recipe_.method_graph != "none") {
    result_.graph =
        describe_graph(graph_setting(), sample_graph_->graph(), std::ssize(split_.train.samples));
  }
  if (const std::string text = recall_warning(result_.graph); !text.empty()) setting_.warn(text);
  describe_training(tasks_->progress(), result_);
  describe_parameters(parameters_, tasks_->optimizer_bytes(), setting_, result_);
  const std::int64_t replaced = adapted_ ? adapted_->replaced() : 0;
  result_.total_parameters = parameters_.count() + encoder_parameters_ - replaced;
  const std::vector<std::size_t>& of_classes = tasks_->parts().parts_of();
  result_.tasks.task_of_class.assign(of_classes.begin(), of_classes.end());
}

std::vector<std::string> TrialRun::ids(const std::vector<std::size_t>& samples) const {
  std::vector<std::string> ids;
  for (const std::size_t i : samples) ids.push_back(photos_.id(i));
  return ids;
}

// What it looks for is looked for on the validation samples.
void TrialRun::conclude_method() {
  if (!adapted_) return;
  const Protocol& protocol = tasks_->protocol();
  const std::vector<std::size_t>& val = split_.val.samples;
  if (setting_.has("peft", "tuned") && !val.empty()) {
    StateBank bank;
    Evaluation evaluation(*network_, sources_, protocol, bank);
    adapted_->conclude(evaluation.judged(protocol.scenes(val), split_.val.labels));
  }
  result_.method = adapted_->facts();
}

void TrialRun::judge_validation() {
  const Protocol& protocol = tasks_->protocol();
  conclude_method();
  StateBank bank;
  Evaluation evaluation(*network_, sources_, protocol, bank);
  const std::vector<std::size_t>& samples = split_.val.samples;
  const auto& labels = split_.val.labels;
  const at::Tensor logits =
      tasks_->heard(evaluation.answers(protocol.scenes(samples), std::ssize(samples)), labels);
  if (!labels.empty()) result_.val_top1 = metrics_of(logits, labels).top1;
  result_.predictions.push_back(predictions_of("val", ids(samples), labels, logits));
}

void TrialRun::test() {
  const Clock::time_point start = Clock::now();
  const Protocol& protocol = tasks_->protocol();
  setting_.begin("test");
  judge_validation();
  StateBank bank;
  Evaluation evaluation(*network_, sources_, protocol, bank);
  const auto answers = [&](std::span<const std::size_t> samples) {
    return evaluation.answers(protocol.scenes(samples), std::ssize(samples));
  };
  std::vector<std::string> test_ids = ids(split_.test.samples);
  TestSet test(std::move(split_.test), std::move(test_ids));
  record_verdict(std::move(test).evaluate(answers, &tasks_->trail()), result_);
  if (!split_.new_test.samples.empty()) test_new_classes();
  time("test", seconds_since(start));
}

void TrialRun::test_new_classes() {
  const std::vector<std::string>& names = photos_.class_names();
  TrialFeatures loaded = frozen_;
  if (zero_shot_) loaded.sources.classes = zero_shot_;
  judge_new_classes({.test = split_.new_test,
                     .ids = ids(split_.new_test.samples),
                     .names = {names.begin() + split_.classes, names.end()},
                     .head = recipe_.head,
                     .adapted = sources_,
                     .loaded = std::move(loaded)},
                    *network_, tasks_->protocol(), result_);
}

void TrialRun::save() {
  if (recipe_.zero_shot) return;
  result_.adapter_bytes = save_adapter(setting_, adapted_ ? &*adapted_ : nullptr, parameters_,
                                       learnt(photos_.class_names()));
  tasks_->consolidation().save(setting_.request().folder / "adapter",
                               {{"espalier.trial_id", setting_.request().trial_id}});
}

TrialResult TrialRun::conclude() {
  describe_request(setting_, result_);
  result_.class_names = learnt(photos_.class_names());
  result_.training = {.ids = ids(split_.train.samples),
                      .labels = {split_.train.labels.begin(), split_.train.labels.end()}};
  result_.total_seconds = seconds_since(start_);
  return std::move(result_);
}

}  // namespace espalier
