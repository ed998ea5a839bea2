// What the texts of pictures alone say of their classes.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace espalier {

struct TextProbe {
  std::vector<std::int64_t> predicted;  // by text
  double accuracy = 0;                  // NaN where there are no texts
};

// Logistic regression (C = 10) on tf-idf of the words that two texts or more hold, at most 2000.
// Each class is dealt into five parts in the order of its texts; what is learnt from four is asked
// of the fifth.
[[nodiscard]] TextProbe probe_texts(std::span<const std::string> texts,
                                    std::span<const std::int64_t> labels, std::int64_t classes);

}  // namespace espalier
