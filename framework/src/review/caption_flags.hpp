// What a caption looks suspicious for, told from the texts alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace espalier {

// A caption that somebody is to look at.
struct ReviewItem {
  std::string id;       // of the picture, unique
  std::string text;     // may be empty
  std::string trouble;  // what was wrong when it was written, such as `truncated`; or empty
  std::vector<std::string> marks;  // why somebody sent it here, such as `clip_score`
  std::optional<double> score;     // the lower, the more doubtful
  std::int64_t label = -1;         // class of the picture; -1: not known
};

struct CaptionFlags {
  std::vector<std::string> reasons;  // such as `has fewer than 5 words`; empty: nothing
  // Captions that say the same, or nearly, have one number, the least of their indices; -1: none
  // does.
  std::ptrdiff_t alike = -1;
};

// Of each caption: trouble, marks, and the rules of caption/rules.hpp that it breaks, but for those
// that tell nothing of whether it is right: names of classes and common openings.
[[nodiscard]] std::vector<CaptionFlags> caption_flags(std::span<const ReviewItem> items);

}  // namespace espalier
