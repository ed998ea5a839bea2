// Class vectors that depend on parameters. Looks are labels.
#pragma once

#include "train/feature_source.hpp"
#include <cstdint>
#include <espalier/nn/adaptable.hpp>
#include <memory>
#include <vector>

namespace espalier {

// Of each class the mean of its texts' features, each brought to length 1, as class_vectors() has
// it for an encoder that stays as it is.
class TextClassSource final : public FeatureSource {
 public:
  // `texts` gives the features of text j of a class for the look {label, j}; `counts` says how many
  // texts each class has.
  TextClassSource(std::shared_ptr<const FeatureSource> texts, std::vector<std::int64_t> counts);

  [[nodiscard]] std::int64_t width() const override { return texts_->width(); }
  [[nodiscard]] bool trained() const override { return texts_->trained(); }
  // Classes whose texts one chunk of texts can hold, one at least.
  [[nodiscard]] std::int64_t chunk() const override;
  [[nodiscard]] at::Tensor rows(std::span<const Look> looks, const Mode& mode) const override;

 private:
  std::shared_ptr<const FeatureSource> texts_;
  std::vector<std::int64_t> counts_;
};

// Class vectors as a method at the classifier site leaves them.
class ClassifierSource final : public FeatureSource {
 public:
  // The model must outlive it.
  ClassifierSource(std::shared_ptr<const FeatureSource> vectors, std::int64_t classes,
                   const AdaptableEncoder& model)
      : vectors_(std::move(vectors)), classes_(classes), model_(model) {}

  [[nodiscard]] std::int64_t width() const override { return vectors_->width(); }
  [[nodiscard]] bool trained() const override { return true; }
  // The site is given all classes together.
  [[nodiscard]] std::int64_t chunk() const override { return classes_; }
  [[nodiscard]] at::Tensor rows(std::span<const Look> looks, const Mode& mode) const override;

 private:
  std::shared_ptr<const FeatureSource> vectors_;
  std::int64_t classes_;
  const AdaptableEncoder& model_;
};

}  // namespace espalier
