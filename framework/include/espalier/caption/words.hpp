// The words of a caption and where they stand.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

struct CaptionWord {
  std::size_t begin = 0;  // bytes of the text
  std::size_t end = 0;
  std::string lower;
};

// Runs of letters, digits and marks. A text that is not UTF-8 has none.
[[nodiscard]] std::vector<CaptionWord> caption_words(std::string_view text);

}  // namespace espalier
