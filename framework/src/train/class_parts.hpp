// The classes of a dataset in parts that are learned one after another.
#pragma once

#include "train/split.hpp"
#include <cstddef>
#include <cstdint>
#include <espalier/tensor/tensor.hpp>
#include <vector>

namespace espalier {

class ClassParts {
 public:
  ClassParts() = default;
  // Which class is in which part is drawn from the stream `tasks` of `seed`; sizes differ by one at
  // the most, larger parts first. Throws Error where a part of several would have one class only.
  ClassParts(std::int64_t classes, std::int64_t parts, std::int64_t seed);

  [[nodiscard]] std::size_t count() const noexcept { return parts_.size(); }
  // The labels of a part, ascending.
  [[nodiscard]] const std::vector<std::int64_t>& labels(std::size_t part) const {
    return parts_[part];
  }
  // Those of all parts up to it, ascending.
  [[nodiscard]] std::vector<std::int64_t> labels_until(std::size_t part) const;
  [[nodiscard]] std::size_t part_of(std::int64_t label) const {
    return part_of_[static_cast<std::size_t>(label)];
  }
  // By label.
  [[nodiscard]] const std::vector<std::size_t>& parts_of() const noexcept { return part_of_; }

  // The samples whose labels are in that part, in their order.
  [[nodiscard]] LabelledSamples of_part(const LabelledSamples& samples, std::size_t part) const;
  // Logits [n, classes] of samples with these labels, minus infinity for the classes of other parts
  // than their own: a choice among the classes of one part, by who is told which.
  [[nodiscard]] at::Tensor told(const at::Tensor& logits,
                                const std::vector<std::int64_t>& labels) const;

 private:
  std::vector<std::vector<std::int64_t>> parts_;
  std::vector<std::size_t> part_of_;
};

}  // namespace espalier
