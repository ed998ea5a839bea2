#include "train/caption_quality.hpp"

#include <ATen/TensorOperators.h>

#include <algorithm>
#include <espalier/nn/unit_rows.hpp>
#include <limits>
#include <utility>
#include <vector>

namespace espalier {
namespace {

struct Shares {
  double flagged = 0;
  double naming_own = 0;  // of the first captions, those with a text; NaN of none
};

// `labels` are of the first captions, one each.
Shares shares_of(const std::vector<std::string>& captions, const std::vector<std::int64_t>& labels,
                 CaptionJudge& judge) {
  std::int64_t flagged = 0, written = 0, own = 0;
  for (std::size_t i = 0; i < captions.size(); ++i) {
    const CaptionJudgement& judgement = judge.of(captions[i]);
    flagged += judgement.flagged ? 1 : 0;
    if (i >= labels.size() || captions[i].empty()) continue;
    ++written;
    own += std::count(judgement.named.begin(), judgement.named.end(), labels[i]);
  }
  return {.flagged = static_cast<double>(flagged) / static_cast<double>(captions.size()),
          .naming_own = written == 0 ? std::numeric_limits<double>::quiet_NaN()
                                     : static_cast<double>(own) / static_cast<double>(written)};
}

}  // namespace

at::Tensor clip_scores(const at::Tensor& images, const at::Tensor& texts) {
  constexpr double scale = 2.5;
  return (unit_rows(images) * unit_rows(texts)).sum(1).clamp_min(0) * scale;
}

bool judge_captions(FeatureStages& stages, const TrialFeatures& features, const DataSplit& split,
                    bool shared_space, CaptionJudge& judge, TrialResult& into) {
  std::vector<std::size_t> samples = split.train.samples;
  samples.insert(samples.end(), split.val.samples.begin(), split.val.samples.end());
  std::vector<std::int64_t> labels = split.train.labels;
  labels.insert(labels.end(), split.val.labels.begin(), split.val.labels.end());
  samples.insert(samples.end(), split.test.samples.begin(), split.test.samples.end());
  const std::optional<std::vector<std::string>> captions = stages.captions(samples);
  if (!captions) return false;

  judge.begin(stages.class_names());
  const Shares shares = shares_of(*captions, labels, judge);
  into.caption_flagged = shares.flagged;
  into.caption_leak_rate = shares.naming_own;
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
