// What of a trial's configuration can change its result: docs/identity.md.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <espalier/core/content.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/predicate.hpp>
#include <espalier/plugin/catalog.hpp>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "variants_internal.hpp"

namespace espalier {

// Raised whenever Espalier itself, not a component, would give another result for the same
// configuration.
inline constexpr int identity_version = 1;

// The variant of every section of one trial.
using Picks = std::array<std::uint32_t, trial_sections.size()>;

class Identities {
 public:
  static constexpr std::uint32_t inert = 0xffffffffu;

  Identities(const Catalog& catalog, const Variants& variants, ContentHasher& hasher);

  // The scope of predicates over a whole trial; `picks` must outlive it.
  [[nodiscard]] PredicateScope scope(const Picks& picks) const;

  // What the sections of a trial can know of one another; few in a whole sweep.
  [[nodiscard]] std::uint32_t context(const Picks& picks);
  // Why the components do not fit together; empty where they do.
  [[nodiscard]] const std::string& impossible(std::uint32_t context) const {
    return contexts_[context].impossible;
  }
  // The canonical identity of one section, as an index into texts(), or `inert`.
  [[nodiscard]] std::uint32_t section(std::size_t section, const Picks& picks,
                                      std::uint32_t context, Problems& problems);
  [[nodiscard]] const std::deque<std::string>& texts() const noexcept { return texts_; }

 private:
  struct Context {
    std::array<bool, trial_sections.size()> counts{};
    std::string impossible;
  };

  struct Facts {
    bool known = false;
    std::uint32_t shape = 0;    // all that other sections can see of a variant
    bool looks_around = false;  // its identity depends on other sections
  };

  Context make_context(const Picks& picks) const;
  const Facts& facts(std::size_t section, std::uint32_t variant);
  std::uint32_t shape(std::size_t section, const Json& resolved);
  void note_words(const SchemaInfo& schema);
  void note_words(std::string_view predicate, const SchemaInfo* own);
  const Predicate& predicate(const std::string& text);
  bool looks_around(std::string_view kind, const Json& resolved) const;
  Json component(std::string_view kind, const Json& resolved, const std::string& key,
                 const PredicateScope& trial, Problems& problems);
  Json parameters(const SchemaInfo& schema, const Json& resolved, const std::string& prefix,
                  const PredicateScope& trial, Problems& problems);
  Json value(const FieldInfo& field, const Json& value, const std::string& key,
             const PredicateScope& trial, Problems& problems);
  Json content(const std::string& path, const std::string& key, Problems& problems);

  const Catalog& catalog_;
  const Variants& variants_;
  ContentHasher& hasher_;
  std::vector<std::string> words_;  // keys that some section asks of another
  std::unordered_map<std::string, Predicate> predicates_;
  std::unordered_map<std::string, std::uint32_t> shape_ids_;
  std::array<std::vector<Facts>, trial_sections.size()> facts_;
  std::unordered_map<std::u32string, std::uint32_t> context_ids_;
  std::deque<Context> contexts_;
  std::array<std::unordered_map<std::uint64_t, std::uint32_t>, trial_sections.size()> text_ids_;
  std::deque<std::string> texts_;
  std::unordered_map<std::string, std::string> contents_;
};

}  // namespace espalier
