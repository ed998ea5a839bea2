#include "experiment/content_paths.hpp"

#include <string_view>

namespace espalier {
namespace {

std::string text_of(const Json& value) {
  return value.is_string() ? value.get<std::string>() : std::string();
}

void collect(const Json& identity, const Json& config, const std::string& key,
             std::vector<HashedPath>& found) {
  const std::string digest = text_of(identity);
  for (const ContentScope scope : {ContentScope::all, ContentScope::class_folders}) {
    const std::string_view prefix = hash_prefix(scope);
    if (!digest.starts_with(prefix) || !config.is_string() || config == identity) continue;
    found.push_back({key, text_of(config), digest.substr(prefix.size()), scope});
    return;
  }
  if (identity.is_array() && config.is_array() && identity.size() == config.size()) {
    for (std::size_t i = 0; i < identity.size(); ++i) collect(identity[i], config[i], key, found);
    return;
  }
  if (!identity.is_object() || !config.is_object()) return;
  const bool component = identity.contains("use") && identity.contains("params");
  if (component) return collect(identity.at("params"), config, key, found);
  for (const auto& [name, value] : identity.items()) {
    const auto member = config.find(name);
    if (member == config.end()) continue;
    collect(value, *member, key.empty() ? name : key + "." + name, found);
  }
}

}  // namespace

std::string_view hash_prefix(ContentScope scope) {
  return scope == ContentScope::all ? "sha256:" : "sha256-of-classes:";
}

std::vector<HashedPath> content_paths(const Json& identity, const Json& config,
                                      const std::string& key) {
  std::vector<HashedPath> found;
  collect(identity, config, key, found);
  return found;
}

}  // namespace espalier
