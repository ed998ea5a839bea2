#include "train/trial.hpp"

#include "train/adapted_encoder.hpp"
#include "train/adapter_folder.hpp"
#include "train/caption_quality.hpp"
#include "train/checkpoint.hpp"
#include "train/class_features.hpp"
#include "train/component_call.hpp"
#include "train/environment.hpp"
#include "train/evaluation.hpp"
#include "train/method_input.hpp"
#include "train/protocol.hpp"
#include "train/recipe.hpp"
#include "train/split.hpp"
#include "train/test_set.hpp"
#include "train/training.hpp"
#include "train/trial_features.hpp"
#include "train/trial_graph.hpp"
#include "train/trial_setting.hpp"
#include "train/unlabelled_dataset.hpp"
#include <algorithm>
#include <chrono>
#include <espalier/core/error.hpp>

namespace espalier {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double checkpoint_seconds = 30;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

class Trial {
 public:
  Trial(const TrialRequest& request, const TrialHooks& hooks)
      : setting_(request, hooks), recipe_(setting_) {}

  std::optional<TrialResult> run();

 private:
  void draw_data();
  bool make_features();
  [[nodiscard]] std::unique_ptr<Protocol> make_graph();
  [[nodiscard]] std::vector<std::size_t> samples() const;
  [[nodiscard]] std::vector<Look> looks() const;
  [[nodiscard]] ClassTexts texts_of_classes(const Dataset& dataset) const;
  bool adapt_encoder(Parameters& parameters);
  [[nodiscard]] NetworkParts network_parts() const;
  bool train(Training& training, const Parameters& parameters, const Checkpoint& checkpoint);
  void describe_training(const Progress& progress);
  [[nodiscard]] Task task(Network& network, Parameters& parameters, const Protocol& protocol) const;
  void conclude_method(const Network& network, const Protocol& protocol);
  TrialResult test(const Network& network, const Protocol& protocol);
  TrialResult conclude(const at::Tensor& val_logits, TestSet::Verdict verdict);

  void time(const std::string& stage, double seconds, bool cached = false) {
    result_.timing.push_back({.stage = stage, .seconds = seconds, .cached = cached});
  }
  [[nodiscard]] std::vector<std::string> ids(const std::vector<std::size_t>& samples) const;

  Clock::time_point start_ = Clock::now();
  MemoryWatch memory_;
  TrialSetting setting_;
  Recipe recipe_;
  UnlabelledDataset photos_;
  ClassTexts prompts_;
  DataSplit split_;
  FeatureInputs inputs_;
  TrialFeatures frozen_;  // as the encoder was loaded
  std::optional<AdaptedEncoder> adapted_;
  Sources sources_;  // as the parameters make them
  std::shared_ptr<Fusion> fusion_;
  std::int64_t encoder_parameters_ = 0;
  TrialResult result_;
};

void Trial::draw_data() {
  const Clock::time_point start = Clock::now();
  const std::shared_ptr<Dataset> dataset = setting_.kept<Dataset>();
  split_ = split_dataset(*dataset, setting_.section<ProtocolParams>("protocol"), setting_.seed());
  if (recipe_.zero_shot) split_.train = {};
  if (recipe_.classes) prompts_ = texts_of_classes(*dataset);
  photos_ = UnlabelledDataset(dataset);
  time("dataset", seconds_since(start));
}

// A method may learn in texts of its own.
ClassTexts Trial::texts_of_classes(const Dataset& dataset) const {
  if (!recipe_.adapted || !setting_.has("peft", "class_template")) {
    return class_prompts(recipe_.head, setting_.config_of("dataset").at("use"), dataset);
  }
  const std::string own = setting_.component<Peft>()->class_template();
  return class_texts(dataset.class_names(), std::vector{own});
}

std::vector<std::size_t> Trial::samples() const {
  std::vector<std::size_t> all = split_.train.samples;
  for (const auto* more : {&split_.val.samples, &split_.test.samples}) {
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
  sources_ = frozen_.sources;
  const bool shared_space = setting_.has("encoder", "shared_space");
  if ((recipe_.texts || recipe_.captions) &&
      !judge_captions(stages, frozen_, split_, shared_space, result_)) {
    return false;
  }
  fusion_ = make_fusion(recipe_.nodes, frozen_.widths, shared_space);
  encoder_parameters_ = stages.encoder_parameters();
  const auto& cached = stages.cached();
  time("features", seconds_since(start),
       std::all_of(cached.begin(), cached.end(), [](const auto& stage) { return stage.second; }));
  return true;
}

std::unique_ptr<Protocol> Trial::make_graph() {
  const Clock::time_point start = Clock::now();
  setting_.begin("graph");
  const GraphSetting of{setting_, recipe_, split_, photos_, frozen_, *fusion_};
  std::unique_ptr<Protocol> protocol = make_protocol(of);
  result_.graph = describe_graph(of, *protocol);
  time("graph", seconds_since(start));
  return protocol;
}

// False: stopped.
bool Trial::adapt_encoder(Parameters& parameters) {
  if (!recipe_.adapted) return true;
  const Clock::time_point start = Clock::now();
  adapted_.emplace(setting_, inputs_, recipe_.train, frozen_.sources);
  if (setting_.has("peft", "needs_features")) {
    adapted_->prepare(method_input(recipe_, frozen_, *fusion_, split_), prompts_);
  }
  adapted_->attach(parameters);
  std::optional<Sources> sources = adapted_->sources(frozen_, looks(), prompts_);
  if (!sources) return false;
  sources_ = std::move(*sources);
  encoder_parameters_ -= adapted_->replaced();
  time("activations", seconds_since(start), adapted_->cached());
  return true;
}

NetworkParts Trial::network_parts() const {
  return {.fusion = fusion_,
          .gnn = recipe_.zero_shot ? no_network() : setting_.component<Gnn>(),
          .gnn_name = setting_.name_of("gnn"),
          .head = make_head(recipe_.head, frozen_.space),
          .adapted = adapted_ ? &adapted_->model() : nullptr};
}

Task Trial::task(Network& network, Parameters& parameters, const Protocol& protocol) const {
  return {.network = network,
          .parameters = parameters,
          .sources = sources_,
          .protocol = protocol,
          .train = split_.train,
          .val = split_.val,
          .method = adapted_ ? adapted_->in_training() : MethodInTraining()};
}

// False: stopped, with a checkpoint on disk.
bool Trial::train(Training& training, const Parameters& parameters, const Checkpoint& checkpoint) {
  Clock::time_point saved = Clock::now();
  while (!training.finished()) {
    training.next();
    if (const auto& tell = setting_.hooks().epoch) {
      for (const EpochMetrics& row : training.last_metrics()) tell(row);
    }
    const bool stop = setting_.stopped() && !training.finished();
    if (stop || seconds_since(saved) > checkpoint_seconds) {
      checkpoint.save(training, parameters);
      saved = Clock::now();
    }
    if (stop) return false;
  }
  return true;
}

void Trial::describe_training(const Progress& progress) {
  time("train", progress.seconds);
  if (progress.epoch > 0 && progress.best_epoch == 0) {
    setting_.warn(
        "no epoch was better on the validation images than the untrained start, which is "
        "what is tested: raise train.lr or train.epochs, or train.select=last");
  }
  result_.best_epoch = progress.best_epoch;
  result_.epochs = progress.epoch;
  result_.train_seconds = progress.seconds;
  result_.metrics = progress.metrics;
}

std::vector<std::string> Trial::ids(const std::vector<std::size_t>& samples) const {
  std::vector<std::string> ids;
  for (const std::size_t i : samples) ids.push_back(photos_.id(i));
  return ids;
}

TrialResult Trial::conclude(const at::Tensor& val_logits, TestSet::Verdict verdict) {
  const TrialRequest& request = setting_.request();
  result_.trial_id = request.trial_id;
  result_.combo_id = request.combo_id;
  result_.seed = setting_.seed();
  result_.config = request.config;
  result_.class_names = photos_.class_names();
  result_.attempt = request.attempt;
  result_.training = {.ids = ids(split_.train.samples),
                      .labels = {split_.train.labels.begin(), split_.train.labels.end()}};
  result_.predictions.push_back(
      predictions_of("val", ids(split_.val.samples), split_.val.labels, val_logits));
  record_verdict(std::move(verdict), result_);
  result_.environment = trial_environment(request.config, setting_.hooks().loader->catalog());
  result_.total_seconds = seconds_since(start_);
  result_.peak_rss_bytes = memory_.peak();
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

TrialResult Trial::test(const Network& network, const Protocol& protocol) {
  const Clock::time_point start = Clock::now();
  setting_.begin("test");
  conclude_method(network, protocol);
  StateBank bank;
  Evaluation evaluation(network, sources_, protocol, bank);
  const auto answers = [&](std::span<const std::size_t> samples) {
    return evaluation.answers(protocol.scenes(samples), std::ssize(samples));
  };
  const at::Tensor val_logits = answers(split_.val.samples);
  const auto& labels = split_.val.labels;
  if (!labels.empty()) result_.val_top1 = metrics_of(val_logits, labels).top1;
  std::vector<std::string> test_ids = ids(split_.test.samples);
  TestSet test(std::move(split_.test), std::move(test_ids));
  TestSet::Verdict verdict = std::move(test).evaluate(answers);
  time("test", seconds_since(start));
  return conclude(val_logits, std::move(verdict));
}

std::optional<TrialResult> Trial::run() {
  draw_data();
  if (!make_features()) return std::nullopt;

  const std::unique_ptr<Protocol> protocol = make_graph();
  Parameters parameters;
  if (!adapt_encoder(parameters)) return std::nullopt;
  Network network(network_parts(), std::ssize(photos_.class_names()), setting_.seed(), parameters);
  Training training(task(network, parameters, *protocol), recipe_.train, setting_.seed());
  setting_.warn_of_size(parameters.count(), std::ssize(split_.train.samples));
  const Checkpoint checkpoint(setting_.request().folder, setting_.request().trial_id,
                              setting_.log());
  checkpoint.load(training, parameters);
  setting_.begin("train");
  if (!train(training, parameters, checkpoint)) return std::nullopt;
  describe_training(training.progress());

  parameters.restore(training.best());
  result_.trainable_parameters = parameters.count();
  result_.total_parameters = parameters.count() + encoder_parameters_;
  TrialResult result = test(network, *protocol);
  if (!recipe_.zero_shot) {
    save_adapter(setting_, adapted_ ? &*adapted_ : nullptr, parameters, photos_.class_names());
  }
  checkpoint.remove();
  return result;
}

}  // namespace

std::optional<TrialResult> run_trial(const TrialRequest& request, const TrialHooks& hooks) {
  return Trial(request, hooks).run();
}

}  // namespace espalier
