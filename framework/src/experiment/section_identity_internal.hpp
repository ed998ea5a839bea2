// What one section contributes to the identity of a trial.
#pragma once

#include <espalier/core/content.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/predicate.hpp>
#include <espalier/plugin/catalog.hpp>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

namespace espalier {

class SectionIdentities {
 public:
  // `locate` says where a dotted key was given.
  SectionIdentities(const Catalog& catalog, ContentHasher& hasher, Locator locate);

  // The resolved section without what cannot matter in the trial, with versions and hashes put in.
  // Data that cannot be hashed is added to the problems.
  [[nodiscard]] Json of(std::string_view section, const Json& resolved, const PredicateScope& trial,
                        Problems& problems);
  // Whether that depends on other sections.
  [[nodiscard]] bool looks_around(std::string_view section, const Json& resolved);

  // Parsed once.
  [[nodiscard]] const Predicate& predicate(std::string_view text);

 private:
  [[nodiscard]] const SchemaInfo& schema_of_section(std::string_view kind,
                                                    const Json& resolved) const;
  bool asks_around(const FieldInfo& field, const SchemaInfo& schema, const Json& resolved);
  Json component(std::string_view kind, const Json& resolved, const std::string& key,
                 const PredicateScope& trial, Problems& problems);
  Json parameters(const SchemaInfo& schema, const Json& resolved, const std::string& prefix,
                  const PredicateScope& trial, Problems& problems);
  Json counted(const FieldInfo& field, const Json& resolved, const std::string& prefix,
               const PredicateScope& trial, Problems& problems);
  Json value(const FieldInfo& field, const Json& value, const std::string& key,
             const PredicateScope& trial, Problems& problems);
  Json content(const std::string& path, ContentScope scope, const std::string& key,
               Problems& problems);

  const Catalog& catalog_;
  ContentHasher& hasher_;
  Locator locate_;
  std::map<std::string, Predicate, std::less<>> predicates_;
  std::unordered_map<std::string, std::string> contents_;
};

}  // namespace espalier
