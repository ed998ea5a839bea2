#include "experiment/sections.hpp"
#include <algorithm>
#include <espalier/core/words.hpp>
#include <espalier/plugin/catalog.hpp>

#include "keys_internal.hpp"
#include "value_internal.hpp"

namespace espalier {
namespace {

bool word_letter(char c) {
  return ('a' <= c && c <= 'z') || ('A' <= c && c <= 'Z') || ('0' <= c && c <= '9') || c == '_';
}

bool well_formed(std::string_view key) {
  if (key.empty() || key.size() > 200 || key.back() == '.') return false;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const bool ends_a_word = key[i] == '.' && i > 0 && key[i - 1] != '.';
    if (!word_letter(key[i]) && !ends_a_word) return false;
  }
  return true;
}

std::string_view tail(std::string_view key) {
  const std::size_t dot = key.find('.');
  return dot == std::string_view::npos ? std::string_view{} : key.substr(dot + 1);
}

bool set_below(Json& parent, std::string_view key, Json value) {
  const std::string name(section_of(key));
  if (const std::string_view rest = tail(key); !rest.empty()) {
    Json& child = parent[name];
    if (child.is_null()) child = Json::object();
    if (child.is_string()) child = Json{{"use", child}};
    return child.is_object() && set_below(child, rest, std::move(value));
  }
  Json& slot = parent[name];
  const bool chooses = value.is_string() && slot.is_object() && slot.contains("use");
  (chooses ? slot["use"] : slot) = std::move(value);
  return true;
}

}  // namespace

const std::vector<std::string>& section_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> all(std::begin(component_kinds), std::end(component_kinds));
    all.insert(all.end(), std::begin(fixed_sections), std::end(fixed_sections));
    all.emplace_back("seed");
    return all;
  }();
  return names;
}

std::string_view section_of(std::string_view key) { return key.substr(0, key.find('.')); }

bool is_section(std::string_view name) {
  const std::vector<std::string>& names = section_names();
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool is_component_kind(std::string_view name) {
  return std::find(std::begin(component_kinds), std::end(component_kinds), name) !=
         std::end(component_kinds);
}

bool has_use(std::string_view section) { return section == "head" || is_component_kind(section); }

bool check_key(const std::string& key, const std::string& where, Problems& problems) {
  const std::vector<std::string>& names = section_names();
  if (!well_formed(key)) {
    problems.add({.what = "\"" + key.substr(0, 100) + "\" is no key",
                  .where = where,
                  .expected = "words with dots between them, such as graph.tau",
                  .found = {},
                  .fix = {}});
    return false;
  }
  const std::string section(section_of(key));
  if (is_section(section)) return true;
  problems.add({.what = "unknown section \"" + section + "\"",
                .where = where,
                .expected = "one of " + joined(names),
                .found = {},
                .fix = did_you_mean(section, names)});
  return false;
}

bool set_value(Json& root, std::string_view key, Json value) {
  if (value.is_string() && has_use(key)) {
    return set_below(root, std::string(key) + ".use", std::move(value));
  }
  return set_below(root, key, std::move(value));
}

bool erase_value(Json& root, std::string_view key) {
  if (!root.is_object()) return false;
  const auto child = root.find(section_of(key));
  if (child == root.end()) return false;
  if (const std::string_view rest = tail(key); !rest.empty()) return erase_value(*child, rest);
  root.erase(child);
  return true;
}

std::string axis_key(const std::string& key, const std::vector<Json>& values) {
  const bool names = std::all_of(values.begin(), values.end(), [](const Json& value) {
    return value.is_string() || is_glob(value);
  });
  return has_use(key) && names ? key + ".use" : key;
}

bool is_under(std::string_view key, std::string_view parent) {
  return key == parent || (key.starts_with(parent) && key.substr(parent.size()).starts_with('.'));
}

}  // namespace espalier
