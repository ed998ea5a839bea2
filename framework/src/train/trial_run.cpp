#include "trial_run_internal.hpp"

#include <spdlog/logger.h>

#include <algorithm>
#include <espalier/nn/adaptable.hpp>

namespace espalier {
namespace {

double seconds_since(TrialClock::time_point start) {
  return std::chrono::duration<double>(TrialClock::now() - start).count();
}

}  // namespace

TrialRun::TrialRun(const TrialRequest& request, const TrialHooks& hooks)
    : request_(request),
      hooks_(hooks),
      context_(request.config.at("seed"), hooks),
      protocol_(section<ProtocolParams>("protocol")) {}

std::string TrialRun::name(std::string_view kind) const {
  return std::string(kind) + "/" + component(kind).at("use").get<std::string>();
}

bool TrialRun::has(std::string_view kind, std::string_view capability) const {
  return hooks_.loader->catalog().has(kind, component(kind), capability);
}

void TrialRun::begin(std::string_view stage) const {
  if (hooks_.stage) hooks_.stage(stage);
}

void TrialRun::warn(const std::string& text) const {
  hooks_.log->warn("{}", text);
  if (hooks_.warning) hooks_.warning(text);
}

void TrialRun::time(const std::string& stage, TrialClock::time_point start, bool cached) {
  result_.timing.push_back({.stage = stage, .seconds = seconds_since(start), .cached = cached});
}

void TrialRun::draw_data() {
  const TrialClock::time_point start = TrialClock::now();
  dataset_ = keep<Dataset>();
  split_ = split_dataset(*dataset_, protocol_, context_.seed());
  time("dataset", start);
}

// One that is fitted belongs to its trial.
std::shared_ptr<Encoder> TrialRun::clean_encoder() const {
  std::shared_ptr<Encoder> encoder = has("encoder", "fitted") ? make<Encoder>() : keep<Encoder>();
  if (AdaptableEncoder* model = encoder->adaptable()) model->reset();
  return encoder;
}

FeatureStages TrialRun::feature_stages() const {
  FeatureInputs inputs;
  inputs.dataset = dataset_.get();
  inputs.captioner = [this] { return make<Captioner>(); };
  inputs.encoder = [this] { return clean_encoder(); };
  inputs.dataset_name = name("dataset");
  inputs.captioner_name = name("captioner");
  inputs.encoder_name = name("encoder");
  inputs.fitted = has("encoder", "fitted");
  inputs.fit_samples = split_.unlabelled_train;
  inputs.seed = has("captioner", "seeded") ? context_.seed() : 0;
  inputs.stages = request_.stages;
  inputs.config = request_.config;
  inputs.storage = {.cache = request_.cache,
                    .limit = request_.cache_limit,
                    .warn = [this](const std::string& text) { warn(text); },
                    .shelf = hooks_.shelf,
                    .check =
                        [this] {
                          if (hooks_.check_inputs) hooks_.check_inputs();
                        }};
  inputs.decode_threads = hooks_.loaders;
  inputs.stopped = [this] { return stopped(); };
  inputs.stage = [this](std::string_view stage) { begin(stage); };
  if (hooks_.progress) inputs.progress = hooks_.progress;
  return FeatureStages(std::move(inputs));
}

void TrialRun::note(const FeatureStages& stages, TrialClock::time_point start) {
  const auto& cached = stages.cached();
  time("features", start,
       std::all_of(cached.begin(), cached.end(), [](const auto& stage) { return stage.second; }));
  encoder_parameters_ = stages.encoder_parameters();
}

std::vector<std::string> TrialRun::ids(const std::vector<std::size_t>& samples) const {
  std::vector<std::string> ids;
  for (const std::size_t i : samples) ids.push_back(dataset_->samples()[i].id);
  return ids;
}

TrialResult TrialRun::conclude(const at::Tensor& val_logits, TestSet::Verdict verdict,
                               std::int64_t trainable) {
  result_.trial_id = request_.trial_id;
  result_.combo_id = request_.combo_id;
  result_.seed = context_.seed();
  result_.config = request_.config;
  result_.class_names = dataset_->class_names();
  result_.test_top1 = verdict.metrics.top1;
  result_.test_top5 = verdict.metrics.top5;
  result_.test_macro_accuracy = verdict.metrics.macro_accuracy;
  result_.test_macro_f1 = verdict.metrics.macro_f1;
  result_.test_loss = verdict.metrics.loss;
  result_.test_ece = verdict.metrics.ece;
  result_.trainable_parameters = trainable;
  result_.total_parameters = trainable + encoder_parameters_;
  result_.attempt = request_.attempt;
  result_.predictions.push_back(
      predictions_of("val", ids(split_.val.samples), split_.val.labels, val_logits));
  result_.predictions.push_back(std::move(verdict.predictions));
  result_.environment = trial_environment(request_.config, hooks_.loader->catalog());
  result_.total_seconds = seconds_since(start_);
  result_.peak_rss_bytes = memory_.peak();
  return std::move(result_);
}

}  // namespace espalier
