// Words that say how something looks, found in captions that anybody may have written.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

// English words of one kind: colour, number, size, shape, texture, pattern, shade, part.
struct AttributeGroup {
  std::string_view name;
  std::span<const std::string_view> words;
  bool exclusive;  // one word of the group makes another one wrong; parts are not
};

[[nodiscard]] std::span<const AttributeGroup> attribute_groups();

struct AttributeWord {
  std::size_t begin = 0;  // bytes of the text
  std::size_t end = 0;
  std::size_t group = 0;  // in attribute_groups()
  std::size_t word = 0;   // in its words
};

// In the order of the text, without regard to case.
[[nodiscard]] std::vector<AttributeWord> attribute_words(std::string_view text);

}  // namespace espalier
