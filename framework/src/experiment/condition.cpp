#include <algorithm>
#include <espalier/core/words.hpp>
#include <espalier/plugin/capabilities.hpp>
#include <utility>
#include <vector>

#include "experiment/sections.hpp"

#include "condition_internal.hpp"
#include "keys_internal.hpp"
#include "rules_internal.hpp"

namespace espalier {
namespace {

using Fields = std::vector<FieldInfo>;

FieldInfo component_field(std::string_view kind) {
  FieldInfo field;
  field.type = FieldType::component;
  field.kind = kind;
  return field;
}

// What may stand under a key below a component of the kind: one field for each component that has
// it.
Fields fields_below(const Catalog& catalog, std::string_view kind, std::string_view key) {
  if (key.empty() || key == "use") return {component_field(kind)};
  const std::string_view name = section_of(key);
  const std::string_view rest = key.substr(std::min(key.size(), name.size() + 1));
  Fields found;
  for (const ComponentInfo& component : catalog.all()) {
    const FieldInfo* field = component.kind == kind ? component.schema.find(name) : nullptr;
    if (field == nullptr) continue;
    if (rest.empty()) {
      found.push_back(*field);
    } else if (field->type == FieldType::component) {
      const Fields inner = fields_below(catalog, field->kind, rest);
      found.insert(found.end(), inner.begin(), inner.end());
    }
  }
  return found;
}

Fields fields_of(const Catalog& catalog, std::string_view key) {
  const std::string_view section = section_of(key);
  const std::string_view rest = key.substr(std::min(key.size(), section.size() + 1));
  if (is_component_kind(section)) return fields_below(catalog, section, rest);
  if (is_fixed_section(section)) {
    const FieldInfo* field = section_schema(section).find(rest.empty() ? "use" : rest);
    return field == nullptr ? Fields{} : Fields{*field};
  }
  FieldInfo seed;
  seed.type = FieldType::integer;
  return rest.empty() ? Fields{seed} : Fields{};
}

// The keys of a section, for the nearest of them.
std::vector<std::string> keys_of(const Catalog& catalog, const std::string& section) {
  std::vector<std::string> keys;
  const auto add = [&](const SchemaInfo& schema) {
    for (const FieldInfo& field : schema.fields) keys.push_back(section + "." + field.name);
  };
  if (is_fixed_section(section)) add(section_schema(section));
  if (!is_component_kind(section)) return keys;
  keys.push_back(section + ".use");
  for (const ComponentInfo& component : catalog.all()) {
    if (component.kind == section) add(component.schema);
  }
  return keys;
}

bool is_number(FieldType type) { return type == FieldType::integer || type == FieldType::number; }

class Checker {
 public:
  Checker(const std::string& where, const Catalog& catalog, Problems& problems)
      : where_(where), catalog_(catalog), problems_(problems) {}

  void check(const Predicate& condition) {
    for (const std::string& word : condition.words()) {
      if (word.find('.') != std::string::npos) check_key_word(word);
    }
    for (const std::string& word : condition.bare_words()) {
      if (is_text(word)) unknown_word(word);
    }
    for (const Comparison& comparison : condition.comparisons()) check(comparison);
    for (const CapabilityQuestion& question : condition.capabilities()) check(question);
  }

 private:
  void add(std::string what, std::string expected, std::string found, std::string fix) {
    Problem problem{std::move(what), where_, std::move(expected), std::move(found), std::move(fix)};
    const auto& list = problems_.list();
    if (std::find(list.begin(), list.end(), problem) == list.end()) {
      problems_.add(std::move(problem));
    }
  }

  // A word that names no section stands for itself.
  static bool is_text(const std::string& word) {
    return word.find('.') == std::string::npos && !is_section(word);
  }

  void check_key_word(const std::string& word) {
    if (!check_key(word, where_, problems_) || !fields_of(catalog_, word).empty()) return;
    const std::string section(section_of(word));
    add("a condition names an unknown key \"" + word + "\"", "a key of " + section, {},
        did_you_mean(word, keys_of(catalog_, section)));
  }

  void unknown_word(const std::string& word) {
    add("a condition names an unknown key \"" + word + "\"",
        "a dotted key, or one of " + joined(section_names()), {},
        did_you_mean(word, section_names()));
  }

  void check(const Comparison& comparison) {
    const auto is_key = [](const Operand& side) {
      return side.type == Operand::Type::word && !is_text(side.word);
    };
    const bool left = is_key(comparison.left);
    const bool right = is_key(comparison.right);
    if (left && !right) return check_value(comparison.left.word, comparison.right);
    if (right && !left) return check_value(comparison.right.word, comparison.left);
    if (left) return;
    for (const Operand* side : {&comparison.left, &comparison.right}) {
      if (side->type == Operand::Type::word) unknown_word(side->word);
    }
  }

  void check_value(const std::string& key, const Operand& operand) {
    const Fields fields = fields_of(catalog_, key);
    if (operand.type == Operand::Type::computed) return;
    if (fields.empty()) {
      if (key.find('.') == std::string::npos) {
        add("\"" + key + "\" has no value of its own to compare", "one of its keys", {}, {});
      }
      return;
    }
    const Json value = operand.type == Operand::Type::word ? Json(operand.word) : operand.value;
    const bool fits = std::any_of(fields.begin(), fields.end(),
                                  [&](const FieldInfo& field) { return can_hold(field, value); });
    if (!fits) misfit(key, fields.front(), value);
  }

  [[nodiscard]] bool can_hold(const FieldInfo& field, const Json& value) const {
    if (field.list || value.is_null()) return true;
    if (field.type == FieldType::boolean) return value.is_boolean();
    if (is_number(field.type)) return value.is_number();
    if (!value.is_string()) return false;
    const std::vector<std::string> names = names_for(field);
    const auto name = value.get<std::string>();
    return names.empty() || std::find(names.begin(), names.end(), name) != names.end();
  }

  // Those that a text may be; empty: any.
  [[nodiscard]] std::vector<std::string> names_for(const FieldInfo& field) const {
    return field.type == FieldType::component ? catalog_.names(field.kind) : field.choices;
  }

  void misfit(const std::string& key, const FieldInfo& field, const Json& value) {
    const std::vector<std::string> names = names_for(field);
    const std::string article = field.type == FieldType::integer ? "an " : "a ";
    std::string expected =
        names.empty() ? article + std::string(to_string(field.type)) : "one of " + joined(names);
    const bool text = value.is_string();
    add("a condition compares \"" + key + "\" with what it never is", std::move(expected),
        value.dump(), text ? did_you_mean(value.get<std::string>(), names) : "");
  }

  void check(const CapabilityQuestion& question) {
    std::vector<std::string> kinds(std::begin(component_kinds), std::end(component_kinds));
    kinds.emplace_back("trial");
    if (std::find(kinds.begin(), kinds.end(), question.kind) == kinds.end()) {
      return add("a condition asks for a capability of \"" + question.kind + "\"",
                 "one of " + joined(kinds), {}, did_you_mean(question.kind, kinds));
    }
    const std::vector<std::string> known = capabilities_of(question.kind);
    if (std::find(known.begin(), known.end(), question.capability) != known.end()) return;
    add("a condition asks for an unknown capability \"" + question.capability + "\"",
        "of a " + question.kind + " one of " + joined(known), {},
        did_you_mean(question.capability, known));
  }

  [[nodiscard]] std::vector<std::string> capabilities_of(const std::string& kind) const {
    if (kind == "trial") return trait_names();
    std::vector<std::string> all = known_capabilities(kind);
    if (kind == "dataset") {
      all.insert(all.end(), data_capabilities().begin(), data_capabilities().end());
    }
    for (const ComponentInfo& component : catalog_.all()) {
      if (component.kind != kind) continue;
      for (const std::string& own : component.capabilities) {
        const bool known = std::find(all.begin(), all.end(), own) != all.end();
        const bool of_field = own.find(':') != std::string::npos;
        if (!known && !of_field) all.push_back(own);
      }
    }
    return all;
  }

  const std::string& where_;
  const Catalog& catalog_;
  Problems& problems_;
};

}  // namespace

void check_condition(const Predicate& condition, const std::string& where, const Catalog& catalog,
                     Problems& problems) {
  Checker(where, catalog, problems).check(condition);
}

}  // namespace espalier
