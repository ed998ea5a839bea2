// Which captions of a set are worth keeping.
#pragma once

#include <cstddef>
#include <cstdint>
#include <espalier/caption/rules.hpp>
#include <span>
#include <string>
#include <vector>

namespace espalier {

// One of a set, as a filter looks at it.
struct RatedCaption {
  std::int64_t label = 0;
  bool has_text = true;
  RuleSet broken;
  double score = 0;  // NaN where there is none
};

struct FilterWish {
  std::vector<CaptionRule> rules;  // whoever breaks one goes
  double lowest = 0;               // and of each class the share with the lowest scores, [0, 1)
};

struct FilterOutcome {
  std::vector<std::size_t> gone;   // positions, ascending
  std::vector<std::size_t> saved;  // that would have left their class without a text
};

// Of a class with texts one stays: of those that would go, the one that breaks the fewest of the
// rules, then the one with the highest score, then the first. The quantile is of the captions of
// the class that have a score: floor(lowest n) of them, the first of equal ones. `keep_one` false
// lets all go.
[[nodiscard]] FilterOutcome filter_captions(std::span<const RatedCaption> captions,
                                            const FilterWish& wish, bool keep_one = true);

}  // namespace espalier
