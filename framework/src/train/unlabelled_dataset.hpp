// A dataset without its labels and splits: what a trial keeps of it once the split is drawn.
#pragma once

#include <cstddef>
#include <cstdint>
#include <espalier/plugin/captioner.hpp>
#include <espalier/plugin/dataset.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace espalier {

// Whoever holds it can look at every picture and cannot ask what it shows: labels are where
// split_dataset() put them, those of the test split under a seal.
class UnlabelledDataset {
 public:
  UnlabelledDataset() = default;
  explicit UnlabelledDataset(std::shared_ptr<const Dataset> dataset)
      : dataset_(std::move(dataset)) {}

  [[nodiscard]] const std::vector<std::string>& class_names() const {
    return dataset_->class_names();
  }
  [[nodiscard]] std::size_t size() const { return dataset_->samples().size(); }
  [[nodiscard]] const std::string& id(std::size_t sample) const {
    return dataset_->samples()[sample].id;
  }
  [[nodiscard]] Image image(std::size_t sample) const { return dataset_->image(sample); }
  // Null where it has pictures.
  [[nodiscard]] std::shared_ptr<const GivenFeatures> features() const {
    return {dataset_, dataset_->features()};
  }
  // For captioners, which see a label only to make captions wrong by it.
  [[nodiscard]] CaptionRequest caption_request(std::size_t sample, std::int64_t seed,
                                               LabelTold told) const {
    return espalier::caption_request(*dataset_, sample, seed, told);
  }
  void check_captions(const Captioner& captioner, std::int64_t seed) const {
    espalier::check_captions(captioner, *dataset_, seed);
  }

 private:
  std::shared_ptr<const Dataset> dataset_;
};

}  // namespace espalier
