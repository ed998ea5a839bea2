// Captions of different pictures that say the same.
#pragma once

#include <cstddef>
#include <espalier/caption/words.hpp>
#include <vector>

namespace espalier {

// By caption, the position of another one; -1 where there is none.
struct Twins {
  std::vector<std::ptrdiff_t> equal;  // has the same words
  std::vector<std::ptrdiff_t> near;   // other words, and most runs of three words in common
};

// `near` where the Jaccard index of the sets of runs is above `least`, exactly (AllPairs: Bayardo
// et al., WWW 2007, by prefixes of rare runs). A text of less than three words is one run. Texts
// without words are like none.
[[nodiscard]] Twins find_twins(const std::vector<std::vector<CaptionWord>>& texts, double least);

}  // namespace espalier
