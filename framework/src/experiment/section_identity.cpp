#include <algorithm>
#include <espalier/core/builtin.hpp>
#include <espalier/core/hash.hpp>
#include <utility>

#include "experiment/content_paths.hpp"
#include "experiment/sections.hpp"

#include "keys_internal.hpp"
#include "rules_internal.hpp"
#include "section_identity_internal.hpp"

namespace espalier {
namespace {

// The value that a number counts as.
const Json& effective(const FieldInfo& field, const Json& resolved) {
  const Json& given = resolved.at(field.name);
  if (field.at_most.empty()) return given;
  const Json& most = resolved.at(field.at_most);
  return most > 0 && given > most ? most : given;
}

}  // namespace

SectionIdentities::SectionIdentities(const Catalog& catalog, ContentHasher& hasher, Locator locate)
    : catalog_(catalog), hasher_(hasher), locate_(std::move(locate)) {}

const Predicate& SectionIdentities::predicate(std::string_view text) {
  const auto known = predicates_.find(text);
  if (known != predicates_.end()) return known->second;
  return predicates_.emplace(text, Predicate::parse(text, "a condition of a parameter"))
      .first->second;
}

const SchemaInfo& SectionIdentities::schema_of_section(std::string_view kind,
                                                       const Json& resolved) const {
  if (is_fixed_section(kind)) return section_schema(kind);
  return catalog_.find(kind, resolved.at("use").get<std::string>())->schema;
}

bool SectionIdentities::looks_around(std::string_view kind, const Json& resolved) {
  if (!resolved.is_object()) return false;
  const SchemaInfo& schema = schema_of_section(kind, resolved);
  return std::any_of(schema.fields.begin(), schema.fields.end(),
                     [&](const FieldInfo& field) { return asks_around(field, schema, resolved); });
}

bool SectionIdentities::asks_around(const FieldInfo& field, const SchemaInfo& schema,
                                    const Json& resolved) {
  const bool inside = field.type == FieldType::component;
  if (!field.only_for.empty() || (inside && field.list)) return true;
  if (inside && looks_around(field.kind, resolved.at(field.name))) return true;
  if (field.only_if.empty()) return false;
  const Predicate& only_if = predicate(field.only_if);
  const std::vector<std::string> words = only_if.words();
  return !only_if.capabilities().empty() ||
         std::any_of(words.begin(), words.end(), [&](const std::string& word) {
           return is_section(section_of(word)) && schema.find(section_of(word)) == nullptr;
         });
}

Json SectionIdentities::of(std::string_view section, const Json& resolved,
                           const PredicateScope& trial, Problems& problems) {
  const std::string name(section);
  if (!is_fixed_section(section)) return component(section, resolved, name, trial, problems);
  return parameters(section_schema(section), in_one_word(section, resolved), name + ".", trial,
                    problems);
}

Json SectionIdentities::component(std::string_view kind, const Json& resolved,
                                  const std::string& key, const PredicateScope& trial,
                                  Problems& problems) {
  if (!resolved.is_object()) return nullptr;
  const std::string name = resolved.at("use").get<std::string>();
  const ComponentInfo& info = *catalog_.find(kind, name);
  return {{"use", name},
          {"version", info.version},
          {"params", parameters(info.schema, resolved, key + ".", trial, problems)}};
}

Json SectionIdentities::parameters(const SchemaInfo& schema, const Json& resolved,
                                   const std::string& prefix, const PredicateScope& trial,
                                   Problems& problems) {
  const PredicateScope here{.value =
                                [&](std::string_view key) {
                                  const Json* own = value_under(resolved, key);
                                  return own != nullptr ? own : trial.value(key);
                                },
                            .has = trial.has};
  Json params = Json::object();
  for (const FieldInfo& field : schema.fields) {
    if (!field.only_if.empty() && !predicate(field.only_if).holds(here)) continue;
    if (field.only_for.empty()) {
      params[field.name] = counted(field, resolved, prefix, trial, problems);
    } else if (trial.has("trial", field.only_for)) {
      params[field.name] =
          counted(field, resolved, prefix, narrowed(trial, field.only_for), problems);
    }
  }
  return params;
}

Json SectionIdentities::counted(const FieldInfo& field, const Json& resolved,
                                const std::string& prefix, const PredicateScope& trial,
                                Problems& problems) {
  const Json& given = effective(field, resolved);
  const std::string key = prefix + field.name;
  if (!field.list) return value(field, given, key, trial, problems);
  Json items = Json::array();
  for (const Json& item : given) items.push_back(value(field, item, key, trial, problems));
  return items;
}

Json SectionIdentities::value(const FieldInfo& field, const Json& value, const std::string& key,
                              const PredicateScope& trial, Problems& problems) {
  if (field.type == FieldType::component) return component(field.kind, value, key, trial, problems);
  if (!field.content || !value.is_string() || value.get_ref<const std::string&>().empty()) {
    return value;
  }
  const bool classes = field.kind == "class_folders";
  return content(value.get<std::string>(),
                 classes ? ContentScope::class_folders : ContentScope::all, key, problems);
}

Json SectionIdentities::content(const std::string& path, ContentScope scope, const std::string& key,
                                Problems& problems) try {
  const std::string prefix(hash_prefix(scope));
  const auto known = contents_.find(prefix + path);
  if (known != contents_.end()) return known->second;
  const std::string text = prefix + hex(hasher_.digest(resolve_path(path), scope));
  return contents_.emplace(prefix + path, text).first->second;
} catch (const Error& error) {
  for (Problem problem : error.problems()) {
    problem.found = problem.where + (problem.found.empty() ? "" : ": " + problem.found);
    problem.where = locate_(key);
    problem.what = "\"" + key + "\": " + problem.what;
    problems.add(std::move(problem));
  }
  return nullptr;
}

}  // namespace espalier
