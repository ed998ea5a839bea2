#include "identity_internal.hpp"

#include "experiment/sections.hpp"
#include <algorithm>
#include <espalier/core/builtin.hpp>
#include <espalier/core/hash.hpp>
#include <utility>

#include "keys_internal.hpp"
#include "rules_internal.hpp"

namespace espalier {
namespace {

std::string_view head(std::string_view key) { return key.substr(0, key.find('.')); }

bool is_section(std::string_view key) { return section_index(head(key)) < trial_sections.size(); }

bool is_fixed(std::string_view section) {
  return std::find(std::begin(fixed_sections), std::end(fixed_sections), section) !=
         std::end(fixed_sections);
}

// The names of a component and of those inside it.
Json names_of(const Json& resolved) {
  if (!resolved.is_object() || !resolved.contains("use")) return nullptr;
  Json names{{"use", resolved["use"]}};
  for (const auto& [key, value] : resolved.items()) {
    if (value.is_object()) names[key] = names_of(value);
  }
  return names;
}

std::string filled(std::string_view reason, const PredicateScope& scope) {
  std::string text;
  while (!reason.empty()) {
    const std::size_t open = reason.find('{');
    text += reason.substr(0, open);
    if (open == std::string_view::npos) break;
    const std::size_t close = reason.find('}', open);
    const Json* value = scope.value(reason.substr(open + 1, close - open - 1));
    if (value != nullptr && value->is_object()) value = &value->at("use");
    text += value != nullptr && value->is_string() ? value->get<std::string>() : "?";
    reason.remove_prefix(close + 1);
  }
  return text;
}

}  // namespace

Identities::Identities(const Catalog& catalog, const Variants& variants, ContentHasher& hasher)
    : catalog_(catalog), variants_(variants), hasher_(hasher) {
  for (const InertRule& rule : inert_rules()) note_words(rule.only_if, nullptr);
  for (const ImpossibleRule& rule : impossible_rules()) note_words(rule.when, nullptr);
  for (const std::string_view name : fixed_sections) note_words(section_schema(name));
  for (const ComponentInfo& component : catalog.all()) note_words(component.schema);
  std::sort(words_.begin(), words_.end());
  words_.erase(std::unique(words_.begin(), words_.end()), words_.end());
}

void Identities::note_words(const SchemaInfo& schema) {
  for (const FieldInfo& field : schema.fields) {
    if (!field.only_if.empty()) note_words(field.only_if, &schema);
  }
}

void Identities::note_words(std::string_view text, const SchemaInfo* own) {
  for (const std::string& word : predicate(std::string(text)).words()) {
    const bool of_own = own != nullptr && own->find(head(word)) != nullptr;
    if (!of_own && is_section(word)) words_.push_back(word);
  }
}

const Predicate& Identities::predicate(const std::string& text) {
  const auto known = predicates_.find(text);
  if (known != predicates_.end()) return known->second;
  return predicates_.emplace(text, Predicate::parse(text, "a parameter's only_if")).first->second;
}

PredicateScope Identities::scope(const Picks& picks) const {
  const auto section = [this, &picks](std::string_view name) -> const Json* {
    const std::size_t index = section_index(name);
    if (index == trial_sections.size()) return nullptr;
    return &variants_.at(index, picks[index]).resolved;
  };
  return {.value =
              [section](std::string_view key) {
                const Json* root = section(head(key));
                const std::size_t dot = key.find('.');
                if (root == nullptr || dot == std::string_view::npos) return root;
                return value_under(*root, key.substr(dot + 1));
              },
          .has =
              [this, section](std::string_view kind, std::string_view capability) {
                const Json* root = section(kind);
                return root != nullptr && catalog_.has(kind, *root, capability);
              }};
}

const Identities::Facts& Identities::facts(std::size_t index, std::uint32_t variant) {
  std::vector<Facts>& all = facts_[index];
  if (all.size() <= variant) all.resize(variants_.count(index));
  if (!all[variant].known) {
    const Json& resolved = variants_.at(index, variant).resolved;
    all[variant] = {true, shape(index, resolved), looks_around(trial_sections[index], resolved)};
  }
  return all[variant];
}

std::uint32_t Identities::shape(std::size_t index, const Json& resolved) {
  Json shape = Json::array({names_of(resolved)});
  for (const std::string& word : words_) {
    if (head(word) != trial_sections[index]) continue;
    const std::size_t dot = word.find('.');
    const Json* value = dot == std::string::npos
                            ? (resolved.is_object() ? nullptr : &resolved)
                            : value_under(resolved, std::string_view(word).substr(dot + 1));
    shape.push_back(value == nullptr ? Json() : *value);
  }
  const auto next = static_cast<std::uint32_t>(shape_ids_.size());
  return shape_ids_.emplace(shape.dump(), next).first->second;
}

std::uint32_t Identities::context(const Picks& picks) {
  std::u32string key;
  for (std::size_t i = 0; i < picks.size(); ++i) key.push_back(facts(i, picks[i]).shape);
  const auto [it, fresh] =
      context_ids_.emplace(std::move(key), static_cast<std::uint32_t>(contexts_.size()));
  if (fresh) contexts_.push_back(make_context(picks));
  return it->second;
}

Identities::Context Identities::make_context(const Picks& picks) const {
  Context context;
  const PredicateScope trial = scope(picks);
  context.counts.fill(true);
  for (const InertRule& rule : inert_rules()) {
    const Predicate& only_if = predicates_.at(std::string(rule.only_if));
    if (!only_if.holds(trial)) context.counts[section_index(rule.section)] = false;
  }
  for (const ImpossibleRule& rule : impossible_rules()) {
    const bool counts = context.impossible.empty() && context.counts[section_index(rule.section)];
    if (counts && predicates_.at(std::string(rule.when)).holds(trial)) {
      context.impossible = filled(rule.reason, trial);
    }
  }
  return context;
}

std::uint32_t Identities::section(std::size_t index, const Picks& picks, std::uint32_t context,
                                  Problems& problems) {
  if (!contexts_[context].counts[index]) return inert;
  const std::string name(trial_sections[index]);
  const Json& resolved = variants_.at(index, picks[index]).resolved;
  const std::uint64_t around =
      facts(index, picks[index]).looks_around ? context + std::uint64_t{1} : 0;
  const std::uint64_t form = around << 32 | picks[index];
  const auto known = text_ids_[index].find(form);
  if (known != text_ids_[index].end()) return known->second;
  const PredicateScope trial = scope(picks);
  Json identity = resolved;
  if (index != seed_section) {
    identity = is_fixed(name)
                   ? parameters(section_schema(name), resolved, name + ".", trial, problems)
                   : component(name, resolved, name, trial, problems);
  }
  texts_.push_back(canonical_json(identity));
  return text_ids_[index][form] = static_cast<std::uint32_t>(texts_.size() - 1);
}

// Whether some only_if in the section asks about another section.
bool Identities::looks_around(std::string_view kind, const Json& resolved) const {
  if (!resolved.is_object()) return false;
  const SchemaInfo& schema =
      is_fixed(kind) ? section_schema(kind)
                     : catalog_.find(kind, resolved.at("use").get<std::string>())->schema;
  const auto asks = [&](const FieldInfo& field) {
    const bool inside = field.type == FieldType::component;
    if (inside && (field.list || looks_around(field.kind, resolved.at(field.name)))) return true;
    if (field.only_if.empty()) return false;
    const Predicate& only_if = predicates_.at(field.only_if);
    const std::vector<std::string> words = only_if.words();
    return !only_if.kinds().empty() ||
           std::any_of(words.begin(), words.end(), [&](const std::string& word) {
             return is_section(word) && schema.find(head(word)) == nullptr;
           });
  };
  return std::any_of(schema.fields.begin(), schema.fields.end(), asks);
}

Json Identities::component(std::string_view kind, const Json& resolved, const std::string& key,
                           const PredicateScope& trial, Problems& problems) {
  if (!resolved.is_object()) return nullptr;
  const std::string name = resolved.at("use").get<std::string>();
  const ComponentInfo& info = *catalog_.find(kind, name);
  return {{"use", name},
          {"version", info.version},
          {"params", parameters(info.schema, resolved, key + ".", trial, problems)}};
}

Json Identities::parameters(const SchemaInfo& schema, const Json& resolved,
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
    const Json& given = resolved.at(field.name);
    const std::string key = prefix + field.name;
    if (!field.list) {
      params[field.name] = value(field, given, key, trial, problems);
      continue;
    }
    Json items = Json::array();
    for (const Json& item : given) items.push_back(value(field, item, key, trial, problems));
    params[field.name] = std::move(items);
  }
  return params;
}

Json Identities::value(const FieldInfo& field, const Json& value, const std::string& key,
                       const PredicateScope& trial, Problems& problems) {
  if (field.type == FieldType::component) return component(field.kind, value, key, trial, problems);
  if (!field.content || !value.is_string() || value.get_ref<const std::string&>().empty()) {
    return value;
  }
  return content(value.get<std::string>(), key, problems);
}

Json Identities::content(const std::string& path, const std::string& key, Problems& problems) try {
  const auto known = contents_.find(path);
  if (known != contents_.end()) return known->second;
  const std::string text = "sha256:" + hex(hasher_.digest(resolve_path(path)));
  return contents_.emplace(path, text).first->second;
} catch (const Error& error) {
  for (Problem problem : error.problems()) {
    problem.found = problem.where + (problem.found.empty() ? "" : ": " + problem.found);
    problem.where = variants_.locate(key);
    problem.what = "\"" + key + "\": " + problem.what;
    problems.add(std::move(problem));
  }
  return nullptr;
}

}  // namespace espalier
