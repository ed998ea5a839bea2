// How good the captions of one trial are.
#pragma once

#include "caption/caption_judge.hpp"
#include "results/trial_result.hpp"
#include "train/features.hpp"
#include "train/split.hpp"
#include "train/trial_features.hpp"
#include <espalier/tensor/tensor.hpp>

namespace espalier {

// 2.5 max(cos(image, text), 0) of pairs of rows, [n, width] each: CLIPScore where the texts begin
// as Hessel et al. (EMNLP 2021) have it.
[[nodiscard]] at::Tensor clip_scores(const at::Tensor& images, const at::Tensor& texts);

// Fills in what a result says of captions; false when the trial was stopped.
//   caption_score      mean of clip_scores() over all samples of the trial, by the frozen encoder;
//                      NaN where its towers share no space or one of them is not looked at
//   caption_leak_rate  share of the captions of the training and validation samples that name their
//                      class; labels of the test samples are not asked for
//   caption_flagged    share of all captions that are flagged (caption/rules.hpp)
[[nodiscard]] bool judge_captions(FeatureStages& stages, const TrialFeatures& features,
                                  const DataSplit& split, bool shared_space, CaptionJudge& judge,
                                  TrialResult& into);

}  // namespace espalier
