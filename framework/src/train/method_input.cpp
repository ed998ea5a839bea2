#include "train/method_input.hpp"

#include <ATen/ops/empty.h>

#include "train/head.hpp"
#include "train/index_of.hpp"
#include "train/look.hpp"
#include "train/values.hpp"
#include <algorithm>
#include <memory>
#include <vector>

namespace espalier {
namespace {

// The views of each sample, one behind the other; without any the picture as it is.
std::vector<Look> looks_of(std::span<const std::size_t> samples, std::int64_t views) {
  if (views == 0) return plain_looks(samples);
  std::vector<Look> looks;
  for (const std::size_t sample : samples) {
    for (std::int64_t view = 1; view <= views; ++view) looks.push_back({sample, view});
  }
  return looks;
}

at::Tensor labels_of(const LabelledSamples& samples, std::int64_t rows) {
  return index_of(samples.labels, at::kCPU).repeat_interleave(rows);
}

class Judge {
 public:
  Judge(const Recipe& recipe, const TrialFeatures& frozen, const Fusion& fusion)
      : sources_(frozen.sources), fusion_(fusion) {
    if (recipe.head.use == "prompts") head_ = make_head(recipe.head, frozen.space);
  }

  [[nodiscard]] JudgedFeatures operator()(const LabelledSamples& of, std::int64_t views) const {
    const std::vector<Look> looks = looks_of(of.samples, views);
    const Values values = values_of(sources_, looks, {});
    const at::Tensor features = fusion_.of_samples(fusion_.at_start(values).x);
    return {.features = features,
            .logits = head_ ? (*head_)(features, values) : at::Tensor(),
            .labels = labels_of(of, std::max<std::int64_t>(1, views))};
  }

 private:
  const Sources& sources_;
  const Fusion& fusion_;
  std::unique_ptr<Head> head_;
};

}  // namespace

MethodInput method_input(const Recipe& recipe, const TrialFeatures& frozen, const Fusion& fusion,
                         const DataSplit& split) {
  const Judge judge(recipe, frozen, fusion);
  const std::int64_t views = recipe.train.views;
  MethodInput input{.train = judge(split.train, views),
                    .views = std::max<std::int64_t>(1, views),
                    .val = judge(split.val, 0),
                    .classes = {},
                    .logit_scale = frozen.space.logit_scale,
                    .class_tokens = {},
                    .tokens = {}};
  if (recipe.classes) input.classes = values_of(frozen.sources, split.val.samples, {}).classes;
  return input;
}

}  // namespace espalier
