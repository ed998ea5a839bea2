// Pictures decoded and transformed ahead of the encoder.
#pragma once

#include "train/look.hpp"
#include <cstddef>
#include <cstdint>
#include <espalier/dataset/batch_loader.hpp>
#include <espalier/tensor/tensor.hpp>
#include <functional>
#include <vector>

namespace espalier {

// What `make` gives of `looks`, tensors of one shape, in batches and in order. At most two
// batches are in memory. `make` is called from `threads` threads at once, for each look once;
// what it gives does not depend on them.
class PixelBatches {
 public:
  using Make = std::function<at::Tensor(const Look&)>;

  PixelBatches(std::vector<Look> looks, std::int64_t batch, std::int64_t threads, Make make);

  // [batch, ...], stacked; waits for it. Undefined at the end. Rethrows what `make` threw for the
  // first look of the batch that failed.
  [[nodiscard]] at::Tensor next();

 private:
  std::vector<Look> looks_;
  Make make_;
  std::vector<at::Tensor> rows_;
  BatchLoader loader_;  // the last member: its threads use the others
};

}  // namespace espalier
