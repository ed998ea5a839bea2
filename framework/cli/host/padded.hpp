// Texts in columns.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>

namespace espalier::cli {

[[nodiscard]] inline std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(text.size(), width), ' ');
  return text;
}

}  // namespace espalier::cli
