#include <espalier/caption/words.hpp>

#include "text/unicode.hpp"

namespace espalier {
namespace {

bool belongs_to_word(char32_t c) {
  return unicode::is_letter(c) || unicode::is_number(c) || unicode::is_nonspacing_mark(c);
}

}  // namespace

std::vector<CaptionWord> caption_words(std::string_view text) {
  std::vector<CaptionWord> words;
  if (unicode::first_invalid_byte(text)) return words;
  bool inside = false;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t begin = at;
    const char32_t c = unicode::next(text, at);
    const bool was_inside = inside;
    inside = belongs_to_word(c);
    if (!inside) continue;
    if (!was_inside) words.push_back({.begin = begin, .end = at, .lower = {}});
    words.back().end = at;
    unicode::append_lower(words.back().lower, c);
  }
  return words;
}

}  // namespace espalier
