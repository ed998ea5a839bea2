#include "train/trial.hpp"

#include "results/trial_fields.hpp"
#include "train/adapted_encoder.hpp"
#include "train/adapter_folder.hpp"
#include "train/caption_quality.hpp"
#include "train/class_features.hpp"
#include "train/component_call.hpp"
#include "train/describe.hpp"
#include "train/environment.hpp"
#include "train/evaluation.hpp"
#include "train/graph_choice.hpp"
#include "train/method_input.hpp"
#include "train/new_classes.hpp"
#include "train/recipe.hpp"
#include "train/split.hpp"
#include "train/task_sequence.hpp"
#include "train/test_set.hpp"
#include "train/trial_features.hpp"
#include "train/trial_setting.hpp"
#include "train/tuning.hpp"
#include "train/unlabelled_dataset.hpp"
#include <algorithm>
#include <chrono>
#include <espalier/core/error.hpp>

namespace espalier {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class Trial {
 public:
  Trial(const TrialRequest& request, const TrialHooks& hooks)
      : setting_(request, hooks), recipe_(setting_) {}

  std::optional<TrialResult> run();
  // Trains, and looks at the validation samples. Empty: stopped.
  std::optional<double> validation_top1();
  [[nodiscard]] bool trains() const { return !recipe_.zero_shot && !recipe_.scores; }

 private:
  bool learn();
  void draw_data();
  bool make_features();
  [[nodiscard]] std::vector<std::size_t> samples() const;
  [[nodiscard]] std::vector<Look> looks() const;
  bool adapt_encoder(Parameters& parameters);
  [[nodiscard]] NetworkParts network_parts() const;
  [[nodiscard]] Learner learner(const TrialSetting& setting, Network& network,
                                Parameters& parameters);
  bool choose();
  [[nodiscard]] std::optional<double> val_top1_with(const TrialRequest& request);
  void describe(const TaskSequence& tasks, const Parameters& parameters);
  void conclude_method(const Network& network, const Protocol& protocol);
  void judge_validation(const Network& network, const TaskSequence& tasks);
  void test(const Network& network, const TaskSequence& tasks);
  void test_new_classes(const Network& network, const Protocol& protocol);
  void save(const Parameters& parameters, const TaskSequence& tasks);
  TrialResult conclude();

  void time(const std::string& stage, double seconds, bool cached = false) {
    result_.timing.push_back({.stage = stage, .seconds = seconds, .cached = cached});
  }
  [[nodiscard]] std::vector<std::string> ids(const std::vector<std::size_t>& samples) const;
  // Of a list of all classes.
  template <class T>
  [[nodiscard]] std::vector<T> learnt(const std::vector<T>& all) const {
    return {all.begin(), all.begin() + std::min(split_.classes, std::ssize(all))};
  }

  Clock::time_point start_ = Clock::now();
  MemoryWatch memory_;
  TrialSetting setting_;
  GpuMemoryWatch gpu_memory_{setting_.device()};
  Recipe recipe_;
  UnlabelledDataset photos_;
  ClassTexts prompts_;  // of all classes, those that are not learnt among them
  // Of all classes as head.prompts has them, where the method has texts of its own and new classes
  // are asked for.
  ClassTexts zero_shot_prompts_;
  std::shared_ptr<const FeatureSource> zero_shot_;
  DataSplit split_;
  FeatureInputs inputs_;
  TrialFeatures frozen_;  // as the encoder was loaded
  std::optional<AdaptedEncoder> adapted_;
  Sources sources_;  // as the parameters make them
  std::shared_ptr<Fusion> fusion_;
  std::int64_t encoder_parameters_ = 0;
  std::optional<GraphChoice> choice_;
  std::optional<TrialSetting> chosen_;  // with the graph of the choice
  Parameters parameters_;
  std::optional<Network> network_;
  std::optional<TaskSequence> tasks_;
  bool keeps_training_ = false;
  TrialResult result_;
};

void Trial::draw_data() {
  const Clock::time_point start = Clock::now();
  const std::shared_ptr<Dataset> dataset = setting_.kept<Dataset>();
  split_ = split_dataset(*dataset, setting_.section<ProtocolParams>("protocol"), setting_.seed());
  if (recipe_.zero_shot) split_.train = {};
  if (recipe_.classes || recipe_.class_start)
    prompts_ = class_texts_of(setting_, recipe_, *dataset);
  if (!split_.new_test.samples.empty() && setting_.has("peft", "class_template")) {
    zero_shot_prompts_ =
        class_prompts(recipe_.head, setting_.config_of("dataset").at("use"), *dataset);
  }
  photos_ = UnlabelledDataset(dataset);
  time("dataset", seconds_since(start));
}

std::vector<std::size_t> Trial::samples() const {
  std::vector<std::size_t> all = split_.train.samples;
  for (const auto* more : {&split_.val.samples, &split_.test.samples, &split_.new_test.samples}) {
    all.insert(all.end(), more->begin(), more->end());
  }
  return all;
}

std::vector<Look> Trial::looks() const {
  return picture_looks(samples(), split_.train.samples.size(), recipe_.train.views);
}

// False: stopped.
bool Trial::make_features() {
  const Clock::time_point start = Clock::now();
  inputs_ = feature_inputs(setting_, recipe_, photos_, split_.unlabelled_train);
  FeatureStages stages(inputs_);
  std::optional<TrialFeatures> features =
      gather_features(stages, recipe_, samples(), looks(), prompts_);
  if (!features) return false;
  frozen_ = std::move(*features);
  frozen_.sources.class_count = recipe_.classes ? static_cast<std::size_t>(split_.classes) : 0;
  if (!zero_shot_prompts_.empty()) {
    zero_shot_ = frozen_classes(class_vectors(*inputs_.encoder(), zero_shot_prompts_));
  }
  sources_ = frozen_.sources;
  const bool captioned = recipe_.captions || (recipe_.texts && !inputs_.given);
  if (captioned && !judge_captions(stages, frozen_, split_, inputs_.shared_space,
                                   *setting_.hooks().judge, result_)) {
    return false;
  }
  fusion_ = make_fusion(recipe_.nodes, frozen_.widths, inputs_.shared_space);
  encoder_parameters_ = stages.encoder_parameters();
  const auto& cached = stages.cached();
  result_.prefix_seconds = seconds_since(start);
  time("features", result_.prefix_seconds,
       std::all_of(cached.begin(), cached.end(), [](const auto& stage) { return stage.second; }));
  return true;
}

// False: stopped.
bool Trial::adapt_encoder(Parameters& parameters) {
  if (!recipe_.adapted) return true;
  const Clock::time_point start = Clock::now();
  adapted_.emplace(setting_, inputs_, recipe_.train, frozen_.sources);
  if (setting_.has("peft", "needs_features")) {
    adapted_->prepare(method_input(recipe_, frozen_, *fusion_, split_), learnt(prompts_));
  }
  adapted_->attach(parameters);
  std::optional<Sources> sources = adapted_->sources(frozen_, looks(), prompts_);
  if (!sources) return false;
  sources_ = std::move(*sources);
  const double seconds = seconds_since(start);
  time("activations", seconds, adapted_->cached());
  result_.prefix_seconds += seconds;
  result_.prefix_flops =
      adapted_->prefix_flops(looks().front()) * static_cast<double>(looks().size());
  return true;
}

NetworkParts Trial::network_parts() const {
  return {.fusion = fusion_,
          .gnn = recipe_.zero_shot ? no_network() : setting_.component<Gnn>(),
          .gnn_name = setting_.name_of("gnn"),
          .head = recipe_.scores ? no_head() : make_head(recipe_.head, frozen_.space),
          .adapted = adapted_ ? &adapted_->model() : nullptr,
          .node_rows = setting_.has("gnn", "node_rows")};
}

Learner Trial::learner(const TrialSetting& setting, Network& network, Parameters& parameters) {
  return {.setting = setting,
          .recipe = recipe_,
          .split = split_,
          .photos = photos_,
          .frozen = frozen_,
          .sources = sources_,
          .fusion = *fusion_,
          .shared_space = inputs_.shared_space,
          .network = network,
          .parameters = parameters,
          .method = adapted_ ? adapted_->in_training() : MethodInTraining(),
          .keeps_training = keeps_training_,
          .time = [this](std::string_view stage, double seconds) {
            time(std::string(stage), seconds);
          }};
}

// Nobody hears of these trainings.
std::optional<double> Trial::val_top1_with(const TrialRequest& request) {
  TrialHooks unheard = setting_.hooks();
  unheard.epoch = {};
  unheard.warning = [](const std::string&) {};
  const TrialSetting setting(request, unheard);
  Parameters parameters;
  if (!adapt_encoder(parameters)) return std::nullopt;
  Network network(network_parts(), split_.classes, setting_.seed(), parameters);
  Learner unnoted = learner(setting, network, parameters);
  unnoted.time = [](std::string_view, double) {};
  TaskSequence tasks(std::move(unnoted), static_cast<std::size_t>(split_.classes));
  if (!tasks.run()) return std::nullopt;
  tasks.remove_files();
  return tasks.progress().best_top1;
}

// False: stopped.
bool Trial::choose() {
  const bool has_edges =
      recipe_.graph != "none" && !recipe_.zero_shot && setting_.has("gnn", "graph");
  if (!has_edges || !leaves_tau_to_validation(setting_.request())) return true;
  const Clock::time_point start = Clock::now();
  choice_ = choose_graph(setting_.request(), split_.val.samples.size(),
                         [this](const TrialRequest& request) { return val_top1_with(request); });
  time("graph_choice", seconds_since(start));
  return choice_.has_value();
}

void Trial::describe(const TaskSequence& tasks, const Parameters& parameters) {
  time("train", tasks.progress().seconds);
  result_.graph = describe_graph(tasks.graph(), tasks.protocol());
  if (choice_) result_.graph["tried_taus"] = choice_->tried;
  describe_training(tasks.progress(), result_);
  describe_parameters(parameters, tasks.optimizer_bytes(), setting_, result_);
  const std::int64_t replaced = adapted_ ? adapted_->replaced() : 0;
  result_.total_parameters = parameters.count() + encoder_parameters_ - replaced;
  const std::vector<std::size_t>& of_classes = tasks.parts().parts_of();
  result_.tasks.task_of_class.assign(of_classes.begin(), of_classes.end());
}

std::vector<std::string> Trial::ids(const std::vector<std::size_t>& samples) const {
  std::vector<std::string> ids;
  for (const std::size_t i : samples) ids.push_back(photos_.id(i));
  return ids;
}

TrialResult Trial::conclude() {
  describe_request(setting_, result_);
  result_.class_names = learnt(photos_.class_names());
  result_.training = {.ids = ids(split_.train.samples),
                      .labels = {split_.train.labels.begin(), split_.train.labels.end()}};
  result_.total_seconds = seconds_since(start_);
  return std::move(result_);
}

// What it looks for is looked for on the validation samples.
void Trial::conclude_method(const Network& network, const Protocol& protocol) {
  if (!adapted_) return;
  const std::vector<std::size_t>& val = split_.val.samples;
  if (setting_.has("peft", "tuned") && !val.empty()) {
    StateBank bank;
    Evaluation evaluation(network, sources_, protocol, bank);
    adapted_->conclude(evaluation.judged(protocol.scenes(val), split_.val.labels));
  }
  result_.method = adapted_->facts();
}

void Trial::judge_validation(const Network& network, const TaskSequence& tasks) {
  const Protocol& protocol = tasks.protocol();
  conclude_method(network, protocol);
  StateBank bank;
  Evaluation evaluation(network, sources_, protocol, bank);
  const std::vector<std::size_t>& samples = split_.val.samples;
  const auto& labels = split_.val.labels;
  const at::Tensor logits =
      tasks.heard(evaluation.answers(protocol.scenes(samples), std::ssize(samples)), labels);
  if (!labels.empty()) result_.val_top1 = metrics_of(logits, labels).top1;
  result_.predictions.push_back(predictions_of("val", ids(samples), labels, logits));
}

void Trial::test(const Network& network, const TaskSequence& tasks) {
  const Clock::time_point start = Clock::now();
  const Protocol& protocol = tasks.protocol();
  setting_.begin("test");
  judge_validation(network, tasks);
  StateBank bank;
  Evaluation evaluation(network, sources_, protocol, bank);
  const auto answers = [&](std::span<const std::size_t> samples) {
    return evaluation.answers(protocol.scenes(samples), std::ssize(samples));
  };
  std::vector<std::string> test_ids = ids(split_.test.samples);
  TestSet test(std::move(split_.test), std::move(test_ids));
  record_verdict(std::move(test).evaluate(answers, &tasks.trail()), result_);
  if (!split_.new_test.samples.empty()) test_new_classes(network, protocol);
  time("test", seconds_since(start));
}

void Trial::test_new_classes(const Network& network, const Protocol& protocol) {
  const std::vector<std::string>& names = photos_.class_names();
  TrialFeatures loaded = frozen_;
  if (zero_shot_) loaded.sources.classes = zero_shot_;
  judge_new_classes({.test = split_.new_test,
                     .ids = ids(split_.new_test.samples),
                     .names = {names.begin() + split_.classes, names.end()},
                     .head = recipe_.head,
                     .adapted = sources_,
                     .loaded = std::move(loaded)},
                    network, protocol, result_);
}

void Trial::save(const Parameters& parameters, const TaskSequence& tasks) {
  if (recipe_.zero_shot) return;
  result_.adapter_bytes = save_adapter(setting_, adapted_ ? &*adapted_ : nullptr, parameters,
                                       learnt(photos_.class_names()));
  tasks.consolidation().save(setting_.request().folder / "adapter",
                             {{"espalier.trial_id", setting_.request().trial_id}});
}

// False: stopped.
bool Trial::learn() {
  draw_data();
  if (!make_features() || !choose()) return false;
  chosen_.emplace(choice_ ? choice_->request : setting_.request(), setting_.hooks());
  if (!adapt_encoder(parameters_)) return false;
  network_.emplace(network_parts(), split_.classes, setting_.seed(), parameters_);
  setting_.warn_of_size(parameters_.count(), std::ssize(split_.train.samples));
  tasks_.emplace(learner(*chosen_, *network_, parameters_),
                 static_cast<std::size_t>(split_.classes));
  return tasks_->run();
}

std::optional<double> Trial::validation_top1() {
  keeps_training_ = true;
  if (!learn()) return std::nullopt;
  if (split_.val.samples.empty()) {
    throw Error({.what = "tune chooses by validation photos, and there are none",
                 .where = {},
                 .expected = "one validation photo at least",
                 .found = {},
                 .fix = "raise protocol.val_fraction"});
  }
  judge_validation(*network_, *tasks_);
  return result_.val_top1;
}

std::optional<TrialResult> Trial::run() {
  if (!learn()) return std::nullopt;
  describe(*tasks_, parameters_);
  test(*network_, *tasks_);
  save(parameters_, *tasks_);
  result_.peak_rss_bytes = memory_.peak();
  result_.peak_cuda_bytes = gpu_memory_.peak();
  if (adapted_) adapted_->measure_inference(looks().front(), result_);
  tasks_->remove_files();
  return conclude();
}

std::optional<TrialResult> run_tuned(Tuning& tuning, const TrialRequest& request,
                                     const TrialHooks& hooks) {
  const Clock::time_point start = Clock::now();
  const auto validate = [](const TrialRequest& candidate, const TrialHooks& its_hooks) {
    return Trial(candidate, its_hooks).validation_top1();
  };
  if (!tuning.run(validate)) return std::nullopt;
  const double seconds = seconds_since(start);
  const TrialRequest chosen = tuning.chosen();
  std::optional<TrialResult> result = Trial(chosen, hooks).run();
  if (!result) return std::nullopt;
  result->config = request.config;
  result->candidates = tuning.candidates();
  result->tuned = tuned_text(result->candidates);
  result->timing.push_back({.stage = "tune", .seconds = seconds});
  result->total_seconds += seconds;
  tuning.remove_files();
  return result;
}

}  // namespace

std::optional<TrialResult> run_trial(const TrialRequest& request, const TrialHooks& hooks) {
  Tuning tuning(request, hooks);
  if (tuning.chooses() && Trial(request, hooks).trains()) return run_tuned(tuning, request, hooks);
  return Trial(request, hooks).run();
}

}  // namespace espalier
