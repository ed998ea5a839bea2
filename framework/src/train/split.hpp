// Which samples a trial learns from, chooses by and is judged on.
#pragma once

#include "experiment/sections.hpp"
#include <cstddef>
#include <cstdint>
#include <espalier/plugin/dataset.hpp>
#include <string>
#include <utility>
#include <vector>

namespace espalier {

class TestSet;

// Labels that a holder can carry and nobody can read but TestSet.
class SealedLabels {
 public:
  SealedLabels() = default;
  explicit SealedLabels(std::vector<std::int64_t> labels) : labels_(std::move(labels)) {}

  [[nodiscard]] std::size_t size() const noexcept { return labels_.size(); }

 private:
  friend class TestSet;
  std::vector<std::int64_t> labels_;
};

// Positions in Dataset::samples(), ascending in the whole split, in the order of drawing in a
// few-shot sample.
struct LabelledSamples {
  std::vector<std::size_t> samples;
  std::vector<std::int64_t> labels;
};
struct SealedSamples {
  std::vector<std::size_t> samples;
  SealedLabels labels;
};

struct DataSplit {
  LabelledSamples train;
  LabelledSamples val;
  SealedSamples test;
  // With protocol.classes: base, the test samples of the other classes, labels counted from the
  // first of these; no other split has any of theirs.
  SealedSamples new_test;
  std::int64_t classes = 0;  // that are learnt
  // The training split before few-shot sampling: what an encoder may be fitted on, without labels.
  std::vector<std::size_t> unlabelled_train;
};

// The dataset's own splits; one that it lacks is taken from the training samples, stratified, by
// protocol.split_seed and the fractions; without a val_fraction there is no validation. Then
// protocol.shots images a class of train and val_shots of val, by CoOp's sampling with the trial's
// seed. With protocol.classes: base the first half of the classes, as the dataset has them, is kept
// (the larger one of an odd number), as CoCoOp has it. Throws Error on a dataset that cannot be
// split so: no samples, fewer than two classes, labels out of range, official splits for some
// samples only, a class with too few samples.
[[nodiscard]] DataSplit split_dataset(const Dataset& dataset, const ProtocolParams& protocol,
                                      std::int64_t seed);

}  // namespace espalier
