#include "train/trial_features.hpp"

#include "train/class_features.hpp"

#include <espalier/nn/adaptable.hpp>
#include <espalier/plugin/peft.hpp>
#include <numeric>
#include <utility>
#include <vector>

namespace espalier {
namespace {

// One that is fitted belongs to its trial.
std::shared_ptr<Encoder> clean_encoder(const TrialSetting& setting) {
  const bool fitted = setting.has("encoder", "fitted");
  auto encoder = fitted ? setting.component<Encoder>() : setting.kept<Encoder>();
  if (AdaptableEncoder* model = encoder->adaptable()) model->reset();
  return encoder;
}

bool take_classes(FeatureStages& stages, const ClassTexts& prompts, TrialFeatures& into) {
  const std::optional<ClassFeatures> classes = stages.classes(prompts);
  if (!classes) return false;
  into.space = {.width = classes->vectors.size(1),
                .logit_scale = classes->logit_scale,
                .vectors = classes->vectors};
  into.sources.classes = frozen_classes(classes->vectors);
  into.sources.class_count = prompts.size();
  return true;
}

bool take_captions(FeatureStages& stages, std::span<const std::size_t> samples,
                   TrialFeatures& into) {
  std::optional<std::vector<std::string>> captions = stages.captions(samples);
  if (!captions) return false;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    into.captions[samples[i]] = std::move((*captions)[i]);
  }
  return true;
}

}  // namespace

ClassTexts class_texts_of(const TrialSetting& setting, const Recipe& recipe,
                          const Dataset& dataset) {
  if (setting.has("encoder", "given")) return ClassTexts(dataset.class_names().size());
  if (!recipe.adapted || !setting.has("peft", "class_template")) {
    return class_prompts(recipe.head, setting.config_of("dataset").at("use"), dataset);
  }
  const std::string own = setting.component<Peft>()->class_template();
  return class_texts(dataset.class_names(), std::vector{own});
}

std::shared_ptr<const FeatureSource> frozen_classes(const at::Tensor& vectors) {
  std::vector<std::size_t> labels(static_cast<std::size_t>(vectors.size(0)));
  std::iota(labels.begin(), labels.end(), std::size_t{0});
  return std::make_shared<FrozenSource>(vectors, labels);
}

FeatureInputs feature_inputs(const TrialSetting& setting, const Recipe& recipe,
                             const UnlabelledDataset& photos,
                             std::vector<std::size_t> fit_samples) {
  FeatureInputs inputs;
  inputs.photos = &photos;
  inputs.captioner = [&setting] { return setting.component<Captioner>(); };
  inputs.encoder = [&setting] { return clean_encoder(setting); };
  inputs.dataset_name = setting.name_of("dataset");
  inputs.captioner_name = setting.name_of("captioner");
  inputs.encoder_name = setting.name_of("encoder");
  inputs.given = setting.has("encoder", "given");
  inputs.shared_space =
      inputs.given ? photos.features()->shared_space : setting.has("encoder", "shared_space");
  inputs.fitted = setting.has("encoder", "fitted");
  inputs.fit_samples = std::move(fit_samples);
  inputs.seed = setting.has("captioner", "seeded") ? setting.seed() : 0;
  inputs.label_told = setting.has("captioner", "needs_label") ? LabelTold::yes : LabelTold::no;
  inputs.views.seed = recipe.train.view_seed;
  inputs.views.options.scale_min = recipe.train.view_scale;
  inputs.activation_limit = setting.request().activation_limit;
  inputs.stages = setting.request().stages;
  inputs.config = setting.request().config;
  inputs.storage = {.cache = setting.request().cache,
                    .limit = setting.request().cache_limit,
                    .warn = [&setting](const std::string& text) { setting.warn(text); },
                    .shelf = setting.hooks().shelf,
                    .check = [&setting] { setting.check_inputs(); }};
  inputs.decode_threads = setting.hooks().loaders;
  inputs.stopped = [&setting] { return setting.stopped(); };
  inputs.stage = [&setting](std::string_view stage) { setting.begin(stage); };
  if (setting.hooks().progress) inputs.progress = setting.hooks().progress;
  return inputs;
}

std::optional<TrialFeatures> gather_features(FeatureStages& stages, const Recipe& recipe,
                                             std::span<const std::size_t> samples,
                                             std::span<const Look> looks,
                                             const ClassTexts& prompts) {
  TrialFeatures features;
  if (recipe.images) {
    std::optional<FeatureTable> rows = stages.images(looks);
    if (!rows) return std::nullopt;
    features.widths.images = rows->width();
    features.sources.images = std::make_shared<FrozenSource>(std::move(*rows), looks);
  }
  if (recipe.texts) {
    std::optional<FeatureTable> rows = stages.texts(samples);
    if (!rows) return std::nullopt;
    features.widths.texts = rows->width();
    features.sources.texts = std::make_shared<FrozenSource>(std::move(*rows), samples);
  }
  if (recipe.captions && !take_captions(stages, samples, features)) return std::nullopt;
  if (!prompts.empty() && !take_classes(stages, prompts, features)) return std::nullopt;
  if (!recipe.classes) features.sources.classes = nullptr;
  return features;
}

}  // namespace espalier
