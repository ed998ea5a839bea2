#include "identity_internal.hpp"

#include "experiment/sections.hpp"
#include <algorithm>
#include <utility>

#include "keys_internal.hpp"
#include "rules_internal.hpp"

namespace espalier {
namespace {

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
    text += value == nullptr ? "?" : value->is_string() ? value->get<std::string>() : value->dump();
    reason.remove_prefix(close + 1);
  }
  return text;
}

}  // namespace

Identities::Identities(const Catalog& catalog, const Variants& variants, ContentHasher& hasher,
                       DataInspector* inspector)
    : catalog_(catalog),
      variants_(variants),
      forms_(catalog, hasher, [&variants](std::string_view key) { return variants.locate(key); }),
      inspector_(inspector) {
  for (const TrialTrait& trait : trial_traits()) note_words(trait.holds, nullptr);
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
  for (const std::string& word : forms_.predicate(text).words()) {
    const bool of_own = own != nullptr && own->find(section_of(word)) != nullptr;
    if (!of_own && is_section(section_of(word))) words_.push_back(word);
  }
}

PredicateScope Identities::scope(const Picks& picks) {
  return {
      .value = [this, &picks](std::string_view key) -> const Json* {
        const std::size_t index = section_index(section_of(key));
        if (index == trial_sections.size()) return nullptr;
        const Json& root = variants_.at(index, picks[index]).resolved;
        return value_under(root, key.substr(std::min(key.size(), section_of(key).size() + 1)));
      },
      .has = [this, &picks](std::string_view kind,
                            std::string_view capability) { return has(kind, picks, capability); }};
}

bool Identities::has(std::string_view kind, const Picks& picks, std::string_view capability) {
  if (kind == "trial") {
    const auto traits = trial_traits();
    const auto trait = std::find_if(traits.begin(), traits.end(),
                                    [&](const TrialTrait& t) { return t.name == capability; });
    return trait != traits.end() && forms_.predicate(trait->holds).holds(scope(picks));
  }
  const std::size_t index = section_index(kind);
  if (index == trial_sections.size()) return false;
  const Variant& variant = variants_.at(index, picks[index]);
  if (catalog_.has(kind, variant.resolved, capability)) return true;
  if (index != dataset_section || !variant.sound) return false;
  const Inspected& data = inspected(picks[index]);
  if (!data.problems.empty()) throw Error(data.problems);
  const std::vector<std::string>& all = data.facts.capabilities;
  return std::find(all.begin(), all.end(), capability) != all.end();
}

const Identities::Inspected& Identities::inspected(std::uint32_t dataset) {
  const auto known = inspected_.find(dataset);
  if (known != inspected_.end()) return known->second;
  const Json& resolved = variants_.at(dataset_section, dataset).resolved;
  return inspected_.emplace(dataset, inspect(resolved)).first->second;
}

void Identities::add_warnings(std::vector<std::string>& into) const {
  for (const auto& [dataset, data] : inspected_) {
    for (const std::string& warning : data.facts.warnings) {
      if (std::find(into.begin(), into.end(), warning) == into.end()) into.push_back(warning);
    }
  }
}

Identities::Inspected Identities::inspect(const Json& dataset) try {
  if (inspector_ == nullptr) return {};
  const PredicateScope nothing{.value = [](std::string_view) { return nullptr; },
                               .has = [](std::string_view, std::string_view) { return false; }};
  Problems problems;
  const Json identity = forms_.of("dataset", dataset, nothing, problems);
  problems.throw_if_any();
  return {inspector_->facts({&dataset, canonical_json(identity)}), {}};
} catch (const Error& error) {
  return {{}, error.problems()};
}

const Identities::Facts& Identities::facts(std::size_t index, std::uint32_t variant) {
  std::vector<Facts>& all = facts_[index];
  if (all.size() <= variant) all.resize(variants_.count(index));
  if (!all[variant].known) {
    const Json& resolved = variants_.at(index, variant).resolved;
    all[variant] = {true, shape(index, variant),
                    forms_.looks_around(trial_sections[index], resolved)};
  }
  return all[variant];
}

std::uint32_t Identities::shape(std::size_t index, std::uint32_t variant) {
  const Json& resolved = variants_.at(index, variant).resolved;
  Json shape = Json::array({names_of(resolved)});
  if (index == dataset_section) {
    const Inspected& data = inspected(variant);
    if (!data.problems.empty()) throw Error(data.problems);
    shape.push_back(data.facts.capabilities);
  }
  for (const std::string& word : words_) {
    if (section_of(word) != trial_sections[index]) continue;
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

Identities::Context Identities::make_context(const Picks& picks) {
  Context context;
  const PredicateScope trial = scope(picks);
  context.counts.fill(true);
  for (const TrialTrait& trait : trial_traits()) {
    context.traits[std::string(trait.name)] = forms_.predicate(trait.holds).holds(trial);
  }
  for (const InertRule& rule : inert_rules()) {
    context.counts[section_index(rule.section)] = forms_.predicate(rule.only_if).holds(trial);
  }
  for (const ImpossibleRule& rule : impossible_rules()) {
    const bool counts = context.impossible.empty() && context.counts[section_index(rule.section)];
    if (counts && forms_.predicate(rule.when).holds(trial))
      context.impossible = filled(rule.reason, trial);
  }
  return context;
}

std::uint32_t Identities::section(std::size_t index, const Picks& picks, std::uint32_t context,
                                  Problems& problems) {
  if (!contexts_[context].counts[index]) return inert;
  return text(text_ids_[index], index, picks, context, {}, problems);
}

std::uint32_t Identities::tower(std::string_view name, const Picks& picks, std::uint32_t context,
                                Problems& problems) {
  static const std::size_t encoder = section_index("encoder");
  return text(tower_ids_[std::string(name)], encoder, picks, context, name, problems);
}

std::uint32_t Identities::with_captions(std::uint32_t captioner, const std::string& digest) {
  Json identity = parse_json(texts_[captioner], "identity");
  identity["params"]["captions"] = digest;
  return interned(canonical_json(identity));
}

// Equal texts have one index.
std::uint32_t Identities::interned(std::string text) {
  if (const auto known = interned_.find(text); known != interned_.end()) return known->second;
  texts_.push_back(std::move(text));
  return interned_[texts_.back()] = static_cast<std::uint32_t>(texts_.size() - 1);
}

std::uint32_t Identities::text(TextIds& ids, std::size_t index, const Picks& picks,
                               std::uint32_t context, std::string_view tower, Problems& problems) {
  const std::uint64_t around =
      facts(index, picks[index]).looks_around ? context + std::uint64_t{1} : 0;
  const std::uint64_t form = around << 32 | picks[index];
  if (const auto known = ids.find(form); known != ids.end()) return known->second;
  const Json& resolved = variants_.at(index, picks[index]).resolved;
  const PredicateScope whole = scope(picks);
  const PredicateScope trial = tower.empty() ? whole : narrowed(whole, tower);
  Json identity = resolved;
  if (index != seed_section) {
    identity = forms_.of(trial_sections[index], resolved, trial, problems);
  }
  return ids[form] = interned(canonical_json(identity));
}

}  // namespace espalier
