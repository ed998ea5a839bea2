#include "settings.hpp"

#include <espalier/core/error.hpp>

namespace espalier::cli {
namespace {

using Settings = std::map<std::string, std::string>;

Json value_of(const std::string& text, const FieldInfo* field) {
  const bool plain = field != nullptr && !field->list &&
                     (field->type == FieldType::string || field->type == FieldType::path);
  Json value = plain ? Json(text) : Json::parse(text, nullptr, false);
  return value.is_discarded() ? Json(text) : value;
}

// Sections of settings. A component of a component is a section as well: `of=file` names it,
// `of.file=captions.csv` sets a parameter of it.
class SectionBuilder {
 public:
  SectionBuilder(const Catalog& catalog, Problems& problems)
      : catalog_(catalog), problems_(problems) {}

  Json section(std::string_view kind, const Settings& settings, const std::string& prefix) {
    const auto use = settings.find("use");
    const ComponentInfo* component =
        use == settings.end() ? nullptr : catalog_.find(kind, use->second);
    const auto field_of = [&](const std::string& key) {
      return component == nullptr ? nullptr : component->schema.find(key);
    };
    Json made = Json::object();
    std::map<std::string, Settings> below;
    for (const auto& [key, text] : settings) {
      const std::size_t dot = key.find('.');
      if (dot == key.npos) {
        made[key] = key == "use" ? Json(text) : value_of(text, field_of(key));
      } else {
        below[key.substr(0, dot)][key.substr(dot + 1)] = text;
      }
    }
    for (auto& [name, inner] : below) {
      const FieldInfo* field = field_of(name);
      made[name] = joined_with(made[name], field == nullptr ? "" : field->kind, std::move(inner),
                               prefix + name);
    }
    return made;
  }

 private:
  // What `key` itself was set to and what was set below it.
  Json joined_with(const Json& own, std::string_view kind, Settings below, const std::string& key) {
    if (own.is_string() && !below.contains("use")) below["use"] = own.get<std::string>();
    if (!own.is_null() && Json(below["use"]) != own) {
      problems_.add({.what = "a setting and others below it do not go together",
                     .where = "command line",
                     .expected = key + "=NAME, or " + key + ".use=NAME",
                     .found = key + " = " + own.dump(),
                     .fix = {}});
    }
    return section(kind, below, key + ".");
  }

  const Catalog& catalog_;
  Problems& problems_;
};

}  // namespace

std::map<std::string, std::string> read_settings(std::string_view section,
                                                 const std::vector<std::string>& arguments) {
  const std::string prefix = std::string(section) + ".", chosen = std::string(section) + "=";
  std::map<std::string, std::string> settings;
  Problems problems;
  const auto wrong = [&](std::string what, const std::string& argument) {
    problems.add({.what = std::move(what),
                  .where = "command line",
                  .expected = prefix + "KEY=VALUE",
                  .found = argument,
                  .fix = {}});
  };
  for (std::string argument : arguments) {
    if (argument.starts_with(chosen)) argument.insert(section.size(), ".use");
    const std::size_t equals = argument.find('=');
    if (equals == std::string::npos || !argument.starts_with(prefix) || equals <= prefix.size()) {
      wrong("an argument is no setting of the " + std::string(section), argument);
      continue;
    }
    const std::string key = argument.substr(prefix.size(), equals - prefix.size());
    if (!settings.emplace(key, argument.substr(equals + 1)).second) {
      wrong("a setting is given twice", argument);
    }
  }
  problems.throw_if_any();
  return settings;
}

Json resolve_settings(std::string_view kind, const std::map<std::string, std::string>& settings,
                      const Catalog& catalog) {
  const std::string prefix = std::string(kind) + ".";
  Problems problems;
  const Json section = SectionBuilder(catalog, problems).section(kind, settings, prefix);
  problems.throw_if_any();
  const Json resolved = catalog.resolve(
      kind, section, prefix, [](std::string_view) { return "command line"; }, problems);
  problems.throw_if_any();
  return resolved;
}

}  // namespace espalier::cli
