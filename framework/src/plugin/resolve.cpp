#include <algorithm>
#include <espalier/core/predicate.hpp>
#include <espalier/core/words.hpp>
#include <espalier/plugin/capabilities.hpp>
#include <espalier/plugin/catalog.hpp>
#include <utility>

namespace espalier {
namespace {

constexpr int depth_limit = 16;
constexpr std::string_view wraps = "wraps:";

// Whether `own` is CAPABILITY:FIELD of this capability, and the field is set to something: true, or
// a number that is not 0.
bool set_by_field(const std::string& own, std::string_view capability, const Json& section) {
  const std::string start = std::string(capability) + ":";
  if (!own.starts_with(start)) return false;
  const auto value = section.find(own.substr(start.size()));
  if (value == section.end()) return false;
  return value->is_boolean() ? value->get<bool>() : value->is_number() && value->get<double>() != 0;
}

// Components that a build leaves out where a library is missing, by the Debian package that has it.
struct OptionalComponent {
  std::string_view kind, name, package;
};
constexpr OptionalComponent optional_components[] = {{"graph", "knn_ivf", "libfaiss-dev"}};

std::string_view package_of(std::string_view kind, std::string_view name) {
  for (const OptionalComponent& component : optional_components) {
    if (component.kind == kind && component.name == name) return component.package;
  }
  return {};
}

std::string folders_searched(const Catalog& catalog) {
  std::string text;
  for (const auto& folder : catalog.searched()) text += "\n" + folder.string();
  return text;
}

std::string hint(const Catalog& catalog, const std::string& name,
                 const std::vector<std::string>& known) {
  std::string text = did_you_mean(name, known);
  if (!catalog.rejected().empty()) {
    if (!text.empty()) text += '\n';
    text += std::to_string(catalog.rejected().size()) +
            " plugins were found and not taken: `espalier plugins list` says why";
  }
  return text;
}

class Resolver {
 public:
  Resolver(const Catalog& catalog, Problems& problems) : catalog_(catalog), problems_(problems) {}

  Json resolve(std::string_view kind, const Json& given, const std::string& prefix,
               const Locator& locate, int depth) {
    if (depth > depth_limit) return too_deep(prefix, locate);
    const std::string name = name_of(given, kind, prefix, locate);
    if (name.empty()) return nullptr;
    const ComponentInfo* component = catalog_.find(kind, name);
    if (component == nullptr) return unknown(kind, name, locate);
    const std::size_t before = problems_.size();
    Json params = given.is_object() ? given : Json::object();
    take_unknown_keys(*component, params, prefix, locate);
    Json resolved = fitting(*component, params, prefix, locate);
    resolved["use"] = name;
    for (const FieldInfo& field : component->schema.fields) {
      if (field.type == FieldType::component) {
        descend(field, resolved[field.name], prefix, locate, depth);
      }
    }
    if (problems_.size() == before) run_checks(*component, resolved, prefix, locate);
    return resolved;
  }

 private:
  // Says whose parameters they are: a sweep may set one for several components.
  Json fitting(const ComponentInfo& component, const Json& params, const std::string& prefix,
               const Locator& locate) {
    Problems found;
    Json resolved = resolve_params(component.schema, params, prefix, locate, found);
    for (Problem problem : found.list()) {
      problem.what += ": " + component.kind + "/" + component.name;
      problems_.add(std::move(problem));
    }
    return resolved;
  }

  std::string name_of(const Json& given, std::string_view kind, const std::string& prefix,
                      const Locator& locate) {
    const Json* use = &given;
    if (given.is_object()) use = given.contains("use") ? &given.at("use") : nullptr;
    if (use != nullptr && use->is_string() && !use->get_ref<const std::string&>().empty()) {
      return use->get<std::string>();
    }
    std::vector<std::string> typed;
    if (use == nullptr) {
      for (const auto& [key, value] : given.items()) typed.push_back(prefix + key);
    }
    problems_.add({.what = "\"" + prefix + "use\" names no component",
                   .where = locate("use"),
                   .expected = "one of " + joined(catalog_.names(kind)),
                   .found = use != nullptr  ? use->dump()
                            : typed.empty() ? "nothing"
                                            : "only " + joined(typed),
                   .fix = {}});
    return {};
  }

  // Reports the keys that the component does not have, and takes them away.
  void take_unknown_keys(const ComponentInfo& component, Json& params, const std::string& prefix,
                         const Locator& locate) {
    std::vector<std::string> known;
    for (const FieldInfo& field : component.schema.fields) known.push_back(field.name);
    for (auto it = params.begin(); it != params.end();) {
      if (it.key() == "use" || component.schema.find(it.key()) != nullptr) {
        ++it;
        continue;
      }
      const std::string name = component.kind + "/" + component.name;
      problems_.add({.what = "unknown key \"" + prefix + it.key() + "\"",
                     .where = locate(it.key()),
                     .expected = known.empty() ? "no parameters: " + name + " has none"
                                               : "one of " + joined(known),
                     .found = {},
                     .fix = hint_for_key(component, it.key(), known, prefix)});
      it = params.erase(it);
    }
  }

  // The nearest key of the component, else the components that have the key.
  [[nodiscard]] std::string hint_for_key(const ComponentInfo& component, const std::string& key,
                                         const std::vector<std::string>& known,
                                         const std::string& prefix) const {
    if (std::string near = did_you_mean(key, known); !near.empty()) return near;
    std::vector<std::string> owners;
    for (const ComponentInfo& other : catalog_.all()) {
      const bool owns = other.kind == component.kind && other.schema.find(key) != nullptr;
      if (owns) owners.push_back(prefix + "use=" + other.name);
    }
    if (owners.size() > 4) owners.resize(4);
    return owners.empty() ? "" : "it is a key of " + joined(owners, " or ");
  }

  Json unknown(std::string_view kind, const std::string& name, const Locator& locate) {
    if (const RejectedPlugin* plugin = catalog_.rejected_with(kind, name)) {
      Problem problem = plugin->problem;
      problem.where = locate("use") + "\n" + problem.where;
      problems_.add(std::move(problem));
      return nullptr;
    }
    const auto known = catalog_.names(kind);
    if (const std::string_view package = package_of(kind, name); !package.empty()) {
      problems_.add({.what = "this build of Espalier has no " + std::string(kind) + "/" + name,
                     .where = locate("use"),
                     .expected = "one of " + joined(known),
                     .found = {},
                     .fix = "install " + std::string(package) + " and build Espalier again"});
      return nullptr;
    }
    problems_.add({.what = "no " + std::string(kind) + " component is called \"" + name + "\"",
                   .where = locate("use"),
                   .expected = known.empty()
                                   ? "a plugin in one of the folders:" + folders_searched(catalog_)
                                   : "one of " + joined(known),
                   .found = {},
                   .fix = hint(catalog_, name, known)});
    return nullptr;
  }

  Json too_deep(const std::string& prefix, const Locator& locate) {
    problems_.add({.what = "components are nested too deeply at \"" + prefix + "\"",
                   .where = locate("use"),
                   .expected = "at most " + std::to_string(depth_limit) + " levels",
                   .found = {},
                   .fix = {}});
    return nullptr;
  }

  void descend(const FieldInfo& field, Json& value, const std::string& prefix,
               const Locator& locate, int depth) {
    const auto nested = [&](Json& item, const std::string& key) {
      const Locator inner = [&](std::string_view sub) {
        return locate(key + "." + std::string(sub));
      };
      item = resolve(field.kind, item, prefix + key + ".", inner, depth + 1);
    };
    if (!field.list) {
      if (!value.is_null()) nested(value, field.name);
      return;
    }
    for (std::size_t i = 0; i < value.size(); ++i) {
      nested(value[i], field.name + "." + std::to_string(i));
    }
  }

  void run_checks(const ComponentInfo& component, const Json& resolved, const std::string& prefix,
                  const Locator& locate) try {
    const PredicateScope scope{
        .value = [&](std::string_view key) { return value_under(resolved, key); },
        .has =
            [&](std::string_view name, std::string_view capability) {
              const FieldInfo* field = component.schema.find(name);
              return field != nullptr && field->type == FieldType::component &&
                     catalog_.has(field->kind, resolved.at(field->name), capability);
            }};
    const std::string origin = component.kind + "/" + component.name;
    for (const SchemaCheck& check : component.schema.checks) {
      if (Predicate::parse(check.predicate, origin).holds(scope)) continue;
      problems_.add({.what = origin + ": " + check.message,
                     .where = locate(""),
                     .expected = check.predicate,
                     .found = found(check, resolved, prefix),
                     .fix = {}});
    }
  } catch (const Error& error) {
    for (const Problem& problem : error.problems()) problems_.add(problem);
  }

  static std::string found(const SchemaCheck& check, const Json& resolved,
                           const std::string& prefix) {
    std::string text;
    for (const std::string& key : Predicate::parse(check.predicate, "check").words()) {
      const Json* value = value_under(resolved, key);
      if (value == nullptr) continue;
      text += (text.empty() ? "" : ", ") + prefix + key + " = " + value->dump();
    }
    return text;
  }

  const Catalog& catalog_;
  Problems& problems_;
};

}  // namespace

Json Catalog::resolve(std::string_view kind, const Json& section, std::string_view prefix,
                      const Locator& locate, Problems& problems) const {
  return Resolver(*this, problems).resolve(kind, section, std::string(prefix), locate, 0);
}

bool Catalog::has(std::string_view kind, const Json& section, std::string_view capability) const {
  const auto one_has = [&](const Json& one) { return has(kind, one, capability); };
  if (section.is_array()) {
    return asked_of_all(capability) ? std::all_of(section.begin(), section.end(), one_has)
                                    : std::any_of(section.begin(), section.end(), one_has);
  }
  if (!section.is_object() || !section.contains("use")) return false;
  const ComponentInfo* component = find(kind, section.at("use").get<std::string>());
  if (component == nullptr) return false;
  if (component->has(capability)) return true;
  for (const std::string& own : component->capabilities) {
    if (set_by_field(own, capability, section)) return true;
    if (!own.starts_with(wraps)) continue;
    const std::size_t end = std::min(own.find(':', wraps.size()), own.size());
    if (end < own.size() && own.substr(end + 1) != capability) continue;
    const std::string name = own.substr(wraps.size(), end - wraps.size());
    const FieldInfo* field = component->schema.find(name);
    const auto inner = section.find(name);
    if (field == nullptr || inner == section.end()) continue;
    if (has(field->kind, *inner, capability)) return true;
  }
  return false;
}

}  // namespace espalier
