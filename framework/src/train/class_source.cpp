#include "train/class_source.hpp"

#include <ATen/ops/empty.h>
#include <ATen/ops/stack.h>

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/nn/unit_rows.hpp>
#include <utility>

namespace espalier {

TextClassSource::TextClassSource(std::shared_ptr<const FeatureSource> texts,
                                 std::vector<std::int64_t> counts)
    : texts_(std::move(texts)), counts_(std::move(counts)) {
  ESPALIER_ASSERT(!counts_.empty() && std::ranges::min(counts_) > 0, "each class has a text");
}

std::int64_t TextClassSource::chunk() const {
  return std::max<std::int64_t>(1, texts_->chunk() / std::ranges::max(counts_));
}

at::Tensor TextClassSource::rows(std::span<const Look> looks, const Mode& mode) const {
  if (looks.empty()) return at::empty({0, width()});
  std::vector<Look> all;
  std::vector<std::int64_t> classes;
  for (const Look& look : looks) {
    for (std::int64_t text = 0; text < counts_.at(look.sample); ++text) {
      all.push_back({.sample = look.sample, .view = text});
      classes.push_back(static_cast<std::int64_t>(look.sample));
    }
  }
  Mode of_classes = mode;
  of_classes.classes = classes;
  const at::Tensor features = unit_rows(texts_->rows(all, of_classes));
  std::vector<at::Tensor> means;
  std::int64_t from = 0;
  for (const Look& look : looks) {
    const std::int64_t count = counts_[look.sample];
    means.push_back(features.slice(0, from, from + count).mean(0));
    from += count;
  }
  return at::stack(means);
}

at::Tensor ClassifierSource::rows(std::span<const Look> looks, const Mode& mode) const {
  ESPALIER_ASSERT(std::ssize(looks) == classes_, "all classes together");
  return model_.classify(vectors_->rows(looks, mode), mode);
}

}  // namespace espalier
