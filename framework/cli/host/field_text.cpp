#include "field_text.hpp"

#include <espalier/core/printable.hpp>

namespace espalier::cli {

std::string type_text(const FieldInfo& field) {
  std::string text(field.type == FieldType::component ? field.kind : to_string(field.type));
  return field.list ? "list of " + text : text;
}

std::string default_text(const FieldInfo& field) {
  const Json& value = field.default_value;
  if (value.is_null()) return "must be given";
  const bool plain = field.type == FieldType::component && value.is_object() && value.size() == 1;
  return "default " + printable((plain ? value.at("use") : value).dump());
}

std::string range_text(const FieldInfo& field) {
  if (!field.choices.empty()) return joined(field.choices, " | ");
  std::string text;
  if (field.min) text += canonical_json(*field.min) + (field.open_min ? " < " : " <= ");
  if (field.min || field.max) text += "value";
  if (field.max) text += (field.open_max ? " < " : " <= ") + canonical_json(*field.max);
  return text;
}

std::vector<std::string> remarks(const FieldInfo& field) {
  std::vector<std::string> said;
  if (field.content) said.emplace_back("counts by its content, not by its name");
  if (!field.at_most.empty()) said.push_back("counts as " + field.at_most + " where it is larger");
  if (field.only_if == "false") {
    said.emplace_back("cannot change results");
  } else if (!field.only_if.empty()) {
    said.push_back("matters only if " + field.only_if);
  }
  if (field.sizes != 0) said.emplace_back("set by budget.trainable, where there is one");
  if (!field.only_for.empty()) said.push_back("used for " + field.only_for + " features alone");
  if (!field.source.empty()) said.push_back("source: " + field.source);
  return said;
}

std::string preset_text(const TrainPreset& preset) {
  std::string text;
  for (const auto& [key, value] : preset.train.items()) {
    const std::string shown = value.is_string() ? value.get<std::string>() : value.dump();
    text += (text.empty() ? "" : ", ") + printable(key) + ": " + printable(shown);
  }
  return text.empty() ? "nothing to set" : text;
}

}  // namespace espalier::cli
