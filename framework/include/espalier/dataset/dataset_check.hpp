// Looks at every picture of a dataset, or at the features that it has in place of pictures, for
// what would make results wrong.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <espalier/plugin/dataset.hpp>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace espalier {

struct DatasetCheckOptions {
  int threads = 1;
  // Also pairs of different splits that look alike: difference hashes of 8 x 8 pixels that differ
  // in at most 2 of 64 bits, or cosines of features above 0.99. Finds rescaled and recompressed
  // copies; plain pictures look alike too.
  bool near_duplicates = false;
  std::function<void(std::size_t done, std::size_t total)> progress;  // called from one thread
};

struct DatasetCheck {
  using Pair = std::pair<std::size_t, std::size_t>;  // positions in Dataset::samples(), ascending

  // For each class its samples by split, in the order of enum Split: none, train, val, test.
  std::vector<std::array<std::int64_t, 4>> counts;
  std::vector<std::pair<std::size_t, std::string>> unreadable;  // sample, what its error says
  // Groups with the same pixels or the same features, ascending.
  std::vector<std::vector<std::size_t>> duplicates;
  // Without those of `duplicates`; nothing where they were not looked for.
  std::optional<std::vector<Pair>> near_duplicates;
  // Smallest, median and largest side lengths of what could be read; zeros where nothing could.
  std::array<std::int64_t, 3> widths{};
  std::array<std::int64_t, 3> heights{};

  // Groups with samples of more than one split: what is learnt from is also judged on.
  [[nodiscard]] std::vector<std::size_t> leaks(const Dataset& dataset) const;
  // Groups with samples of more than one class.
  [[nodiscard]] std::vector<std::size_t> conflicts(const Dataset& dataset) const;
};

// Decodes everything. The result does not depend on the number of threads.
[[nodiscard]] DatasetCheck check_dataset(const Dataset& dataset,
                                         const DatasetCheckOptions& options = {});

}  // namespace espalier
