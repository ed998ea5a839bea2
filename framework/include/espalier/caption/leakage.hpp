// How far captions give the class away by its name.
#pragma once

#include <cstddef>
#include <cstdint>
#include <espalier/caption/class_names.hpp>
#include <span>
#include <string>

namespace espalier {

// Of captions with a text, all shares in [0, 1], NaN of none.
struct NameLeakage {
  std::int64_t captions = 0;
  double own = 0;       // name their own class
  double any = 0;       // name a class
  double other = 0;     // name a class that is not their own
  double coverage = 0;  // name exactly one: the caption as a classifier answers
  double accuracy = 0;  // of those, are right
};

// One label a text. Texts that are empty do not count.
[[nodiscard]] NameLeakage name_leakage(std::span<const std::string> texts,
                                       std::span<const std::int64_t> labels,
                                       const ClassNames& names);

}  // namespace espalier
