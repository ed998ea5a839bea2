#include "train/caption_quality.hpp"

#include <ATen/TensorOperators.h>

#include <espalier/caption/leakage.hpp>
#include <espalier/caption/rules.hpp>
#include <espalier/nn/unit_rows.hpp>
#include <utility>
#include <vector>

namespace espalier {
namespace {

double flagged_share(const std::vector<std::string>& captions, const ClassNames& names) {
  std::size_t flagged = 0;
  for (const std::string& caption : captions) {
    flagged += is_flagged(broken_rules({.text = caption}, names)) ? 1 : 0;
  }
  return static_cast<double>(flagged) / static_cast<double>(captions.size());
}

}  // namespace

at::Tensor clip_scores(const at::Tensor& images, const at::Tensor& texts) {
  constexpr double scale = 2.5;
  return (unit_rows(images) * unit_rows(texts)).sum(1).clamp_min(0) * scale;
}

bool judge_captions(FeatureStages& stages, const TrialFeatures& features, const DataSplit& split,
                    bool shared_space, TrialResult& into) {
  std::vector<std::size_t> samples = split.train.samples;
  samples.insert(samples.end(), split.val.samples.begin(), split.val.samples.end());
  std::vector<std::int64_t> labels = split.train.labels;
  labels.insert(labels.end(), split.val.labels.begin(), split.val.labels.end());
  samples.insert(samples.end(), split.test.samples.begin(), split.test.samples.end());
  const std::optional<std::vector<std::string>> captions = stages.captions(samples);
  if (!captions) return false;

  const ClassNames names(stages.class_names());
  into.caption_flagged = flagged_share(*captions, names);
  into.caption_leak_rate =
      name_leakage(std::span(*captions).first(labels.size()), labels, names).own;
  const Sources& sources = features.sources;
  if (shared_space && sources.images && sources.texts) {
    const std::vector<Look> looks = plain_looks(samples);
    const at::Tensor scores =
        clip_scores(sources.images->rows(looks, {}), sources.texts->rows(looks, {}));
    into.caption_score = scores.mean().item<double>();
  }
  return true;
}

}  // namespace espalier
