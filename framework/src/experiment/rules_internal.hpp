// What the sections of a trial mean to one another, as data.
#pragma once

#include <span>
#include <string_view>

namespace espalier {

// A section that counts only where `only_if` holds; elsewhere it is left out of the identity.
struct InertRule {
  std::string_view section;
  std::string_view only_if;
};

// A combination that cannot work, for a demand of a section that counts. In the reason `{key}`
// stands for the value under that key.
struct ImpossibleRule {
  std::string_view section;
  std::string_view when;
  std::string_view reason;
};

[[nodiscard]] std::span<const InertRule> inert_rules();
[[nodiscard]] std::span<const ImpossibleRule> impossible_rules();

}  // namespace espalier
