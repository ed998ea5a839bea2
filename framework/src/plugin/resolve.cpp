#include <espalier/core/predicate.hpp>
#include <espalier/plugin/catalog.hpp>

namespace espalier {
namespace {

constexpr int depth_limit = 16;
constexpr std::string_view wraps = "wraps:";

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string place(const Catalog& catalog) {
  std::string text;
  for (const auto& folder : catalog.searched()) text += "\n" + folder.string();
  return text;
}

std::string hint(const Catalog& catalog, const std::string& name,
                 const std::vector<std::string>& known) {
  std::string text;
  if (const auto near = nearest_name(name, known)) text = "did you mean \"" + *near + "\"?";
  if (!catalog.rejected().empty()) {
    if (!text.empty()) text += '\n';
    text += std::to_string(catalog.rejected().size()) +
            " plugins were found and not taken: `espalier plugins list` says why";
  }
  return text;
}

// The value under a dotted key.
const Json* value_under(const Json& section, std::string_view key) {
  const Json* value = &section;
  while (value != nullptr && !key.empty()) {
    const std::size_t dot = key.find('.');
    const auto it =
        value->is_object() ? value->find(std::string(key.substr(0, dot))) : value->end();
    value = value->is_object() && it != value->end() ? &*it : nullptr;
    key = dot == std::string_view::npos ? std::string_view{} : key.substr(dot + 1);
  }
  return value;
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
    const Json params = given.is_object() ? given : Json::object();
    Json resolved = resolve_params(component->schema, params, prefix, locate, problems_);
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
  std::string name_of(const Json& given, std::string_view kind, const std::string& prefix,
                      const Locator& locate) {
    const Json* use = &given;
    if (given.is_object()) use = given.contains("use") ? &given.at("use") : nullptr;
    if (use != nullptr && use->is_string() && !use->get_ref<const std::string&>().empty()) {
      return use->get<std::string>();
    }
    problems_.add({.what = "\"" + prefix + "use\" names no component",
                   .where = locate("use"),
                   .expected = "one of " + joined(catalog_.names(kind)),
                   .found = use == nullptr ? "nothing" : use->dump(),
                   .fix = {}});
    return {};
  }

  Json unknown(std::string_view kind, const std::string& name, const Locator& locate) {
    const auto known = catalog_.names(kind);
    problems_.add({.what = "no " + std::string(kind) + " component is called \"" + name + "\"",
                   .where = locate("use"),
                   .expected = known.empty() ? "a plugin in one of the folders:" + place(catalog_)
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
  if (!section.is_object() || !section.contains("use")) return false;
  const ComponentInfo* component = find(kind, section.at("use").get<std::string>());
  if (component == nullptr) return false;
  if (component->has(capability)) return true;
  for (const std::string& own : component->capabilities) {
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
