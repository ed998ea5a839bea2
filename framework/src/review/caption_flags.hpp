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
  std::string id;               // of the picture, unique
  std::string text;             // may be empty
  std::string trouble;          // what was wrong when it was written, such as `truncated`; or empty
  std::optional<double> score;  // the lower, the more doubtful
  std::int64_t label = -1;      // class of the picture; -1: not known
};

struct CaptionFlags {
  std::vector<std::string> reasons;  // such as `fewer than 5 words`; empty: nothing
  // Indices of other pictures whose captions say the same, or nearly: of the sets of three words in
  // a row, more than 0.8 are in both. In order.
  std::vector<std::size_t> alike;
};

// Of each caption: trouble when it was written, fewer than five words, three words in a row that
// come four times, the same caption as another picture's, nearly the same.
[[nodiscard]] std::vector<CaptionFlags> caption_flags(std::span<const ReviewItem> items);

}  // namespace espalier
