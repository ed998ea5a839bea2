// What the sections of a trial mean to one another, as data.
//
// Conditions (core/predicate.hpp) of rules and of parameters may ask has(KIND, CAPABILITY) of the
// trial's components, and has(trial, TRAIT).
#pragma once

#include <espalier/core/predicate.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

// Something that a trial makes use of where `holds`; it may ask for traits before it.
struct TrialTrait {
  std::string_view name;
  std::string_view holds;
};

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

[[nodiscard]] std::span<const TrialTrait> trial_traits();
[[nodiscard]] std::span<const InertRule> inert_rules();
[[nodiscard]] std::span<const ImpossibleRule> impossible_rules();

[[nodiscard]] std::vector<std::string> trait_names();

// The scope of something that one tower alone is used of: has(trial, image) or has(trial, text) is
// false where it names the other. `scope` must outlive it.
[[nodiscard]] PredicateScope narrowed(const PredicateScope& scope, std::string_view tower);

}  // namespace espalier
