#include "plugin/used_components.hpp"

#include <string>
#include <string_view>

namespace espalier {
namespace {

void add_used(std::string_view kind, const Json& section, const Catalog& catalog,
              std::vector<const ComponentInfo*>& found) {
  if (!section.is_object() || !section.contains("use")) return;
  const ComponentInfo* info = catalog.find(kind, section.at("use").get<std::string>());
  if (info == nullptr) return;
  found.push_back(info);
  for (const FieldInfo& field : info->schema.fields) {
    const auto inside = section.find(field.name);
    if (field.type != FieldType::component || inside == section.end()) continue;
    if (!field.list) {
      add_used(field.kind, *inside, catalog, found);
      continue;
    }
    for (const Json& item : *inside) add_used(field.kind, item, catalog, found);
  }
}

}  // namespace

std::vector<const ComponentInfo*> used_components(const Json& config, const Catalog& catalog) {
  std::vector<const ComponentInfo*> found;
  for (const std::string_view kind : component_kinds) {
    const auto section = config.find(std::string(kind));
    if (section != config.end()) add_used(kind, *section, catalog, found);
  }
  return found;
}

}  // namespace espalier
