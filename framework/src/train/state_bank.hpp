// The last known features of samples that a pass does not compute anew.
//
// A mini-batch on a graph needs the features of its neighbours, and computing those anew would need
// all of the data. Their values from the last pass that had them stand in (historical embeddings of
// GNNAutoScale, Fey et al. 2021): a few updates old, without gradient.
#pragma once

#include <cstddef>
#include <cstdint>
#include <espalier/tensor/tensor.hpp>
#include <span>
#include <unordered_map>

namespace espalier {

// Of one modality.
class RowBank {
 public:
  // Copies rows [samples, width], over what was there.
  void put(std::span<const std::size_t> samples, const at::Tensor& rows);
  [[nodiscard]] bool has(std::size_t sample) const { return row_of_.contains(sample); }
  // [samples, width]; all must be there.
  [[nodiscard]] at::Tensor rows(std::span<const std::size_t> samples) const;

 private:
  void reserve(const at::Tensor& like);

  at::Tensor table_;  // [room, width]
  std::unordered_map<std::size_t, std::int64_t> row_of_;
};

struct StateBank {
  RowBank images;
  RowBank texts;
};

}  // namespace espalier
