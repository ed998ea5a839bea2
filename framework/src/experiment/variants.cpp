#include "variants_internal.hpp"

#include "experiment/sections.hpp"
#include "experiment/tuning.hpp"
#include <algorithm>
#include <espalier/core/builtin.hpp>
#include <espalier/core/predicate.hpp>
#include <utility>

#include "keys_internal.hpp"

namespace espalier {
namespace {

struct SeedParams {
  std::int64_t seed = 1;
};

void bind(Schema<SeedParams>& s) {
  s.field("seed", &SeedParams::seed).range(0, 9007199254740992.0).doc("Of all random numbers");
}

// Component sections that an experiment may leave out, for `none`.
bool is_optional(std::string_view name) {
  return name == "captioner" || name == "graph" || name == "peft";
}

// Shorter keys first, and `use` before the other keys of its section.
bool set_before(const std::string& a, const std::string& b) {
  const auto rank = [](const std::string& key) {
    return std::pair(std::count(key.begin(), key.end(), '.'), !key.ends_with(".use"));
  };
  return rank(a) < rank(b);
}

// What a mistake elsewhere, in the place of a key, brings about.
bool only_left_out(const Problem& problem) {
  return problem.what.ends_with("is missing") || problem.what.ends_with("names no component");
}

void add_name(std::vector<std::string>& names, const Json* value) {
  if (value == nullptr) return;
  const Json& name = value->is_object() && value->contains("use") ? value->at("use") : *value;
  if (name.is_string()) names.push_back(name.get<std::string>());
}

}  // namespace

std::size_t section_index(std::string_view name) {
  const auto* it = std::find(trial_sections.begin(), trial_sections.end(), name);
  return static_cast<std::size_t>(it - trial_sections.begin());
}

Variants::Variants(const ExperimentSource& source, const Catalog& catalog,
                   const Expansion& expansion)
    : source_(source), catalog_(catalog), expansion_(expansion) {
  const std::vector<Axis>& axes = expansion.axes;
  for (std::uint32_t i = 0; i < axes.size(); ++i) {
    const std::size_t section = section_index(axes[i].key.substr(0, axes[i].key.find('.')));
    sections_[section].axes.push_back(i);
  }
  for (Section& section : sections_) {
    std::stable_sort(section.axes.begin(), section.axes.end(),
                     [&](auto a, auto b) { return set_before(axes[a].key, axes[b].key); });
  }
}

std::uint32_t Variants::find(std::size_t index, const std::vector<std::uint32_t>& row) {
  Section& section = sections_[index];
  std::u32string key;
  for (const std::uint32_t axis : section.axes) key.push_back(row[axis]);
  const auto [it, fresh] =
      section.known.emplace(std::move(key), static_cast<std::uint32_t>(section.variants.size()));
  if (fresh) section.variants.push_back(make(index, row));
  return it->second;
}

Json Variants::given(std::size_t index, const std::vector<std::uint32_t>& row,
                     Problems& problems) const {
  const std::string name(trial_sections[index]);
  Json root = Json::object();
  if (source_.base.contains(name)) {
    root[name] = source_.base[name];
  } else if (index != seed_section) {
    root[name] = Json::object();
  }
  for (const std::uint32_t i : sections_[index].axes) {
    if (row[i] == PlannedTrial::npos) continue;
    const Axis& axis = expansion_.axes[i];
    if (set_value(root, axis.key, axis.values[row[i]])) continue;
    problems.add({.what = "a key above \"" + axis.key + "\" holds a value, no section",
                  .where = expansion_.axis_where[i],
                  .expected = {},
                  .found = {},
                  .fix = {}});
  }
  if (index == seed_section) return root;
  // Keys of a section that was left out are read as they were typed.
  Json& section = root[name];
  if (name == "peft" && section.is_array()) section = Json{{"use", "stack"}, {"methods", section}};
  if (is_optional(name) && section.is_object() && !section.contains("use")) section["use"] = "none";
  return section;
}

Variant Variants::make(std::size_t index, const std::vector<std::uint32_t>& row) {
  const std::string_view name = trial_sections[index];
  Problems problems;
  Json section = given(index, row, problems);
  Variant variant;
  if (index == seed_section) {
    static const SchemaInfo schema = schema_of<SeedParams>().info();
    const Locator where = [this](std::string_view) { return locate("seed"); };
    variant.resolved = resolve_params(schema, section, "", where, problems).at("seed");
  } else if (is_component_kind(name)) {
    drop_foreign_keys(name, section, std::string(name));
    const std::string prefix = std::string(name) + ".";
    const Locator where = [&](std::string_view key) { return locate(prefix + std::string(key)); };
    variant.resolved = catalog_.resolve(name, section, prefix, where, problems);
    make_component_absolute(name, variant.resolved);
  } else {
    if (name == "tune") section = dotted(section);
    variant.resolved = resolve_fixed(name, section, problems);
    make_paths_absolute(section_schema(name), variant.resolved);
    if (name == "tune" && problems.empty()) {
      count_candidates(
          variant.resolved, [this](std::string_view key) { return locate(key); }, problems);
    }
    variant.given = std::move(section);
  }
  variant.sound = problems.empty();
  variant.problems = problems.list();
  if (source_.unread.contains(std::string(name))) std::erase_if(variant.problems, only_left_out);
  return variant;
}

Variant Variants::changed(std::size_t index, std::uint32_t of, const Json& values) const {
  Problems problems;
  Variant variant;
  Json section = at(index, of).resolved;
  section.update(values);
  const std::string name(trial_sections[index]);
  const Locator where = [&](std::string_view key) { return locate(name + "." + std::string(key)); };
  variant.resolved = catalog_.resolve(name, section, name + ".", where, problems);
  variant.sound = problems.empty();
  variant.problems = problems.list();
  return variant;
}

Variant Variants::preset(std::size_t index, std::uint32_t of, const Json& defaults) const {
  Problems problems;
  Variant variant;
  variant.given = at(index, of).given;
  Json section = defaults;
  section.update(variant.given);
  variant.resolved = resolve_fixed(trial_sections[index], section, problems);
  variant.sound = problems.empty();
  variant.problems = problems.list();
  return variant;
}

Variant Variants::tuned(std::size_t train, std::uint32_t of, const Json& first) const {
  Variant variant = at(train, of);
  variant.resolved.update(first);
  if (const auto preset = variant.resolved.find("from_preset"); preset != variant.resolved.end()) {
    std::erase_if(preset->get_ref<Json::array_t&>(),
                  [&](const Json& key) { return first.contains(key.get<std::string>()); });
  }
  return variant;
}

// A key that another component chosen by this sweep knows is no mistake: it has no meaning here.
// Nor is one in the file for a component that the command line replaced.
void Variants::drop_foreign_keys(std::string_view kind, Json& section, const std::string& path) {
  if (!section.is_object() || !section.contains("use") || !section["use"].is_string()) return;
  const ComponentInfo* component = catalog_.find(kind, section["use"].get<std::string>());
  if (component == nullptr) return;
  const auto known_to = [&](const std::vector<std::string>& names, const std::string& key) {
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) {
      const ComponentInfo* other = catalog_.find(kind, name);
      return other != nullptr && other->schema.find(key) != nullptr;
    });
  };
  const auto replaced = source_.replaced.find(path);
  const auto known_elsewhere = [&](const std::string& key) {
    return known_to(chosen(path), key) ||
           (replaced != source_.replaced.end() && !source_.is_override(path + "." + key) &&
            known_to(replaced->second, key));
  };
  for (auto it = section.begin(); it != section.end();) {
    const FieldInfo* field = component->schema.find(it.key());
    if (field != nullptr && field->type == FieldType::component) {
      drop_foreign_keys(field->kind, it.value(), path + "." + it.key());
    }
    const bool foreign = field == nullptr && it.key() != "use" && known_elsewhere(it.key());
    it = foreign ? section.erase(it) : std::next(it);
  }
}

// The names that the experiment gives to the component at a path.
const std::vector<std::string>& Variants::chosen(const std::string& path) {
  const auto [it, fresh] = chosen_.try_emplace(path);
  if (!fresh) return it->second;
  add_name(it->second, value_under(source_.base, path));
  for (const Axis& axis : expansion_.axes) {
    if (axis.key != path && axis.key != path + ".use") continue;
    for (const Json& value : axis.values) add_name(it->second, &value);
  }
  return it->second;
}

Json Variants::resolve_fixed(std::string_view name, const Json& given, Problems& problems) const {
  const SchemaInfo& schema = section_schema(name);
  const std::string prefix = std::string(name) + ".";
  const Locator where = [&](std::string_view key) { return locate(prefix + std::string(key)); };
  if (!given.is_object() || (given.contains("use") && schema.find("use") == nullptr)) {
    problems.add({.what = "\"" + std::string(name) + "\" is no component",
                  .where = where("use"),
                  .expected = "keys and values, and no \"use\"",
                  .found = given.dump(),
                  .fix = {}});
    return nullptr;
  }
  const std::size_t before = problems.size();
  Json resolved = resolve_params(schema, given, prefix, where, problems);
  if (problems.size() > before) return resolved;
  const PredicateScope scope{
      .value = [&](std::string_view key) { return value_under(resolved, key); },
      .has = [](std::string_view, std::string_view) { return false; }};
  for (const SchemaCheck& check : schema.checks) {
    if (Predicate::parse(check.predicate, name).holds(scope)) continue;
    problems.add({.what = std::string(name) + ": " + check.message,
                  .where = locate(name),
                  .expected = check.predicate,
                  .found = {},
                  .fix = {}});
  }
  return resolved;
}

void Variants::make_component_absolute(std::string_view kind, Json& resolved) const {
  if (!resolved.is_object()) return;
  make_paths_absolute(catalog_.find(kind, resolved.at("use").get<std::string>())->schema, resolved);
}

// The configuration must mean the same in whatever folder a worker starts.
void Variants::make_paths_absolute(const SchemaInfo& schema, Json& resolved) const {
  if (!resolved.is_object()) return;
  const auto absolute = [](Json& value) {
    const std::string text = value.is_string() ? value.get<std::string>() : "";
    if (!text.empty() && !text.starts_with("builtin:")) value = resolve_path(text).string();
  };
  for (const FieldInfo& field : schema.fields) {
    Json& value = resolved[field.name];
    const auto apply = [&](Json& item) {
      if (field.content) absolute(item);
      if (field.type == FieldType::component) make_component_absolute(field.kind, item);
    };
    if (field.list) {
      for (Json& item : value) apply(item);
    } else {
      apply(value);
    }
  }
}

std::string Variants::locate(std::string_view key) const {
  const std::string* best = nullptr;
  std::size_t length = 0;
  for (std::size_t i = 0; i < expansion_.axes.size(); ++i) {
    const std::string& axis = expansion_.axes[i].key;
    if (is_under(key, axis) && axis.size() >= length) {
      best = &expansion_.axis_where[i];
      length = axis.size();
    }
  }
  return best != nullptr ? *best : source_.locate(key);
}

}  // namespace espalier
