// What the frozen encoder says of the samples of one trial.
#pragma once

#include "train/feature_source.hpp"
#include "train/features.hpp"
#include "train/fusion.hpp"
#include "train/head.hpp"
#include "train/recipe.hpp"
#include "train/trial_setting.hpp"
#include "train/unlabelled_dataset.hpp"
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace espalier {

// `fit_samples` are those that an encoder may be fitted on. The encoder that it makes is clean. The
// references must outlive the result.
[[nodiscard]] FeatureInputs feature_inputs(const TrialSetting& setting, const Recipe& recipe,
                                           const UnlabelledDataset& photos,
                                           std::vector<std::size_t> fit_samples);

// What the encoder is told of all classes: by head.prompts, or by a method that learns in texts of
// its own.
[[nodiscard]] ClassTexts class_texts_of(const TrialSetting& setting, const Recipe& recipe,
                                        const Dataset& dataset);

// Of all classes, a row each.
[[nodiscard]] std::shared_ptr<const FeatureSource> frozen_classes(const at::Tensor& vectors);

struct TrialFeatures {
  Sources sources;
  FeatureWidths widths;
  ClassSpace space;
  std::map<std::size_t, std::string> captions;
};

// What the recipe looks at; of pictures in `looks`, of texts for each of their samples. Empty when
// the trial was stopped. `prompts` are the texts of the classes, where they are needed.
[[nodiscard]] std::optional<TrialFeatures> gather_features(FeatureStages& stages,
                                                           const Recipe& recipe,
                                                           std::span<const std::size_t> samples,
                                                           std::span<const Look> looks,
                                                           const ClassTexts& prompts);

}  // namespace espalier
