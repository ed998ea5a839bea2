// Pictures decoded ahead of whoever consumes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <espalier/dataset/batch_loader.hpp>
#include <espalier/image/image.hpp>
#include <functional>
#include <vector>

namespace espalier {

// The pictures of `samples` in batches, in order. At most two batches are in memory. `decode` is
// called from `threads` threads at once, each picture once; what it gives does not depend on them.
class ImageBatches {
 public:
  using Decode = std::function<Image(std::size_t sample)>;

  ImageBatches(std::vector<std::size_t> samples, std::int64_t batch, std::int64_t threads,
               Decode decode);

  // Waits for the next batch, which the caller may keep; empty at the end. Rethrows what `decode`
  // threw for the first picture of the batch that failed.
  [[nodiscard]] std::vector<Image> next();

 private:
  std::vector<std::size_t> samples_;
  Decode decode_;
  std::vector<Image> rows_;
  BatchLoader loader_;  // the last member: its threads use the others
};

}  // namespace espalier
