#include "settings.hpp"

#include <espalier/core/error.hpp>

namespace espalier::cli {
namespace {

Json value_of(const std::string& text, const FieldInfo* field) {
  const bool plain = field != nullptr && !field->list &&
                     (field->type == FieldType::string || field->type == FieldType::path);
  Json value = plain ? Json(text) : Json::parse(text, nullptr, false);
  return value.is_discarded() ? Json(text) : value;
}

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
  const auto use = settings.find("use");
  const ComponentInfo* component =
      use == settings.end() ? nullptr : catalog.find(kind, use->second);
  Json section = Json::object();
  for (const auto& [key, text] : settings) {
    section[key] = value_of(text, component == nullptr ? nullptr : component->schema.find(key));
  }
  if (use != settings.end()) section["use"] = use->second;
  Problems problems;
  const Json resolved = catalog.resolve(
      kind, section, std::string(kind) + ".", [](std::string_view) { return "command line"; },
      problems);
  problems.throw_if_any();
  return resolved;
}

}  // namespace espalier::cli
