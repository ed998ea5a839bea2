// Texts in columns.
#pragma once

#include <cstddef>
#include <string>

#include "text/unicode.hpp"

namespace espalier::cli {

[[nodiscard]] inline std::string padded(std::string text, std::size_t width) {
  const std::size_t cells = unicode::cells(text);
  if (cells < width) text.append(width - cells, ' ');
  return text;
}

}  // namespace espalier::cli
