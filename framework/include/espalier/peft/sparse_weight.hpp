// A change of a weight at some of its places.
#pragma once

#include <espalier/peft/linear_method.hpp>
#include <string>

namespace espalier {

class SparseWeight : public AddedWeight {
 public:
  // `values` [n].
  SparseWeight(const Site& site, at::Tensor values)
      : site_(site.name),
        outputs_(outputs_of(site)),
        inputs_(inputs_of(site)),
        values_(std::move(values)) {}

  // Throws Error where a place is outside of the weight: places may come from a file.
  [[nodiscard]] at::Tensor delta() const final;

 protected:
  // int64 [n], row * inputs + column; -1 where there is no such row or column.
  [[nodiscard]] virtual at::Tensor places() const = 0;
  [[nodiscard]] std::int64_t outputs() const noexcept { return outputs_; }
  [[nodiscard]] std::int64_t inputs() const noexcept { return inputs_; }

 private:
  std::string site_;
  std::int64_t outputs_;
  std::int64_t inputs_;
  at::Tensor values_;
};

}  // namespace espalier
