// A configuration as the plan hands it to a trial.
#pragma once

#include "experiment/sections.hpp"
#include <espalier/plugin/loader.hpp>
#include <string>

namespace espalier::testing_support {

// The components found, with their schemas, which come from the plugins themselves.
[[nodiscard]] inline Catalog described(const PluginPath& path) {
  std::vector<ComponentInfo> components = Catalog::scan(path).all();
  for (ComponentInfo& info : components) info.schema = load_plugin(info.file).at(0).schema;
  return Catalog::of(std::move(components));
}

// `config` with every default filled in. Throws Error where a value is refused.
[[nodiscard]] inline Json resolved(Json config, Loader& loader) {
  Problems problems;
  const auto nowhere = [](std::string_view) { return std::string(); };
  for (const std::string_view kind : component_kinds) {
    Json& section = config[std::string(kind)];
    const std::string use = section.at("use");
    section.erase("use");
    section = resolve_params(loader.entry(kind, use).schema, section, kind, nowhere, problems);
    section["use"] = use;
  }
  for (const std::string_view name : fixed_sections) {
    Json& section = config[std::string(name)];
    if (section.is_null()) section = Json::object();
    section = resolve_params(section_schema(name), section, name, nowhere, problems);
  }
  problems.throw_if_any();
  return config;
}

}  // namespace espalier::testing_support
