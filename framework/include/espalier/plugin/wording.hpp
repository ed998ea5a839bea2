// How the facts of a dataset are said in words.
#pragma once

#include <cstdint>
#include <espalier/core/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

// Const methods may be called from several threads at once.
class Wording {
 public:
  virtual ~Wording();

  // In how many ways the same facts can be said; at least 1.
  [[nodiscard]] virtual std::int64_t count() const = 0;
  // Sentences that say all of `facts` in way 0 to count() - 1. Throws Error that names the facts
  // that are missing or cannot be said.
  [[nodiscard]] virtual std::string describe(const Json& facts, std::int64_t way) const = 0;
  // What else an attribute of the facts could be, without `value` itself, in a fixed order. Empty
  // where the attribute or the value is unknown.
  [[nodiscard]] virtual std::vector<std::string> alternatives(std::string_view attribute,
                                                              std::string_view value) const = 0;
};

// For facts whose dataset has no wording of its own: one way, `colour red, petals five.`; `_` in
// names becomes a space, and what is neither a text, a number nor a truth value is left out. Knows
// no alternatives. Throws Error where nothing is left to be said.
[[nodiscard]] const Wording& plain_wording();

}  // namespace espalier
