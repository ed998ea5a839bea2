#include "train/trial_run.hpp"

#include "experiment/tuning.hpp"
#include "train/caption_quality.hpp"
#include "train/class_features.hpp"
#include "train/evaluation.hpp"
#include "train/method_input.hpp"
#include <algorithm>
#include <espalier/core/error.hpp>

namespace espalier {

std::vector<Json> TrialRun::candidates() const {
  const bool trained = !recipe_.zero_shot && !recipe_.scores;
  return trial_candidates(setting_.request().config, recipe_.edges(), trained);
}

void TrialRun::draw_data() {
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

std::vector<std::size_t> TrialRun::samples() const {
  std::vector<std::size_t> all = split_.train.samples;
  for (const auto* more : {&split_.val.samples, &split_.test.samples, &split_.new_test.samples}) {
    all.insert(all.end(), more->begin(), more->end());
  }
  return all;
}

std::vector<Look> TrialRun::looks() const {
  return picture_looks(samples(), split_.train.samples.size(), recipe_.train.views);
}

// False: stopped.
bool TrialRun::make_features() {
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

GraphSetting TrialRun::graph_setting() const {
  return {setting_, recipe_, split_,   split_.train,
          photos_,  frozen_, *fusion_, inputs_.shared_space};
}

// False: stopped.
bool TrialRun::join_samples() {
  if (!setting_.has("peft", "graph")) return true;
  const Clock::time_point start = Clock::now();
  setting_.begin("graph");
  sample_graph_ = make_sample_graph(graph_setting());
  time("method_graph", seconds_since(start));
  return adapted_->join(*sample_graph_);
}

// False: stopped.
bool TrialRun::adapt_encoder() {
  if (!recipe_.adapted) return true;
  const Clock::time_point start = Clock::now();
  adapted_.emplace(setting_, inputs_, recipe_.train, frozen_.sources);
  if (setting_.has("peft", "needs_features")) {
    adapted_->prepare(method_input(recipe_, frozen_, *fusion_, split_), prompts_,
                      static_cast<std::size_t>(split_.classes));
  }
  if (!join_samples()) return false;
  adapted_->attach(parameters_);
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

// Whether the encoder says before the first update what it says without its method, to the rounding
// of float32.
bool TrialRun::starts_frozen() const {
  if (!adapted_ || !setting_.has("peft", "identity_at_init")) return false;
  const Tower* const towers[] = {adapted_->model().image(), adapted_->model().text()};
  return recipe_.train.activations == "float32" && std::ranges::all_of(towers, [](const Tower* t) {
           return t == nullptr || t->dtype() == at::kFloat;
         });
}

NetworkParts TrialRun::network_parts() const {
  return {.fusion = fusion_,
          .gnn = recipe_.zero_shot ? no_network() : setting_.component<Gnn>(),
          .gnn_name = setting_.name_of("gnn"),
          .head = recipe_.scores ? no_head() : make_head(recipe_.head, frozen_.space),
          .adapted = adapted_ ? &adapted_->model() : nullptr,
          .node_rows = setting_.has("gnn", "node_rows")};
}

Learner TrialRun::learner() {
  return {.setting = setting_,
          .recipe = recipe_,
          .split = split_,
          .photos = photos_,
          .frozen = frozen_,
          .sources = sources_,
          .start = starts_frozen() ? &frozen_.sources : nullptr,
          .fusion = *fusion_,
          .shared_space = inputs_.shared_space,
          .network = *network_,
          .parameters = parameters_,
          .method = adapted_ ? adapted_->in_training() : MethodInTraining(),
          .keeps_training = keeps_training_,
          .time = [this](std::string_view stage, double seconds) {
            time(std::string(stage), seconds);
          }};
}

// False: stopped.
bool TrialRun::learn() {
  draw_data();
  if (!make_features() || !adapt_encoder()) return false;
  network_.emplace(network_parts(), split_.classes, setting_.seed(), parameters_);
  setting_.warn_of_size(parameters_.count(), std::ssize(split_.train.samples));
  tasks_.emplace(learner(), static_cast<std::size_t>(split_.classes));
  return tasks_->run();
}

std::optional<double> TrialRun::validation_top1() {
  keeps_training_ = true;
  if (!learn()) return std::nullopt;
  if (split_.val.samples.empty()) {
    throw Error({.what = "a choice by validation photos has none of them",
                 .where = {},
                 .expected = "one validation photo at least",
                 .found = {},
                 .fix = "raise protocol.val_shots or protocol.val_fraction"});
  }
  judge_validation();
  return result_.val_top1;
}

std::optional<TrialResult> TrialRun::run() {
  if (!learn()) return std::nullopt;
  describe();
  test();
  save();
  result_.peak_rss_bytes = memory_.peak();
  result_.peak_cuda_bytes = gpu_memory_.peak();
  if (adapted_) adapted_->measure_inference(looks().front(), result_);
  tasks_->remove_files();
  return conclude();
}

}  // namespace espalier
