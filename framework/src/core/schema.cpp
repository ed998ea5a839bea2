#include <espalier/core/schema.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <espalier/core/words.hpp>

namespace espalier {
namespace {

constexpr std::string_view type_names[] = {"boolean", "integer", "number",
                                           "string",  "path",    "component"};

FieldType field_type(std::string_view name) {
  const auto* it = std::find(std::begin(type_names), std::end(type_names), name);
  if (it == std::end(type_names)) {
    throw Error({.what = "unknown field type in a schema", .where = {}, .expected = {},
                 .found = std::string(name), .fix = "make the plugin index again"});
  }
  return static_cast<FieldType>(it - std::begin(type_names));
}

std::string number_text(double value) { return canonical_json(value); }

std::string expectation(const FieldInfo& field) {
  std::string text(to_string(field.type));
  if (!field.choices.empty()) text = "one of " + joined(field.choices);
  if (field.type == FieldType::component) text = "the name of a " + field.kind + " component";
  if (field.min) text += (field.open_min ? " > " : " >= ") + number_text(*field.min);
  if (field.min && field.max) text += " and";
  if (field.max) text += (field.open_max ? " < " : " <= ") + number_text(*field.max);
  return field.list ? "a list, each " + text : text;
}

bool in_range(const FieldInfo& field, double value) {
  if (field.min && (field.open_min ? value <= *field.min : value < *field.min)) return false;
  if (field.max && (field.open_max ? value >= *field.max : value > *field.max)) return false;
  return true;
}

// The value in the field's type, or nothing where it does not fit.
std::optional<Json> as_component(const Json& value) {
  if (value.is_string()) return Json{{"use", value}};
  const bool named = value.is_object() && value.contains("use") && value["use"].is_string();
  return named ? std::optional(value) : std::nullopt;
}

// `200k` and `1.5M` for those who count in thousands and millions.
Json counted(const Json& value) {
  if (!value.is_string()) return value;
  const auto& text = value.get_ref<const std::string&>();
  const double unit = text.ends_with('k') ? 1e3 : text.ends_with('M') ? 1e6 : 0;
  double number = 0;
  const char* const end = text.data() + text.size() - (unit > 0 ? 1 : 0);
  const auto read = std::from_chars(text.data(), end, number, std::chars_format::fixed);
  return unit > 0 && read.ec == std::errc() && read.ptr == end ? Json(number * unit) : value;
}

std::optional<Json> as_integer(const FieldInfo& field, const Json& given) {
  const Json value = counted(given);
  if (!value.is_number() || !is_exact(value)) return {};
  const double number = value.get<double>();
  const bool whole = std::abs(number) <= static_cast<double>(largest_exact) && number == std::floor(number);
  if (!whole || !in_range(field, number)) return {};
  return static_cast<std::int64_t>(number);
}

std::optional<Json> as_number(const FieldInfo& field, const Json& value) {
  if (!value.is_number() || !is_exact(value)) return {};
  const auto number = value.get<double>();
  const bool fits = std::isfinite(number) && in_range(field, number);
  return fits ? std::optional<Json>(number) : std::nullopt;
}

std::optional<Json> as_text(const FieldInfo& field, const Json& value) {
  if (!value.is_string()) return {};
  const auto& names = field.choices;
  const bool allowed = names.empty() || std::find(names.begin(), names.end(),
                                                  value.get<std::string>()) != names.end();
  return allowed ? std::optional(value) : std::nullopt;
}

std::optional<Json> convert(const FieldInfo& field, const Json& value) {
  switch (field.type) {
    case FieldType::boolean: return value.is_boolean() ? std::optional(value) : std::nullopt;
    case FieldType::integer: return as_integer(field, value);
    case FieldType::number: return as_number(field, value);
    case FieldType::string:
    case FieldType::path: return as_text(field, value);
    case FieldType::component: return as_component(value);
  }
  return {};
}

std::optional<Json> convert_list(const FieldInfo& field, const Json& value) {
  if (!value.is_array()) return {};
  Json list = Json::array();
  for (const Json& item : value) {
    const auto converted = convert(field, item);
    if (!converted) return {};
    list.push_back(*converted);
  }
  return list;
}

std::string shown(const Json& value) {
  const bool rounded = value.is_number() && !is_exact(value);
  return value.dump() + (rounded ? ", a whole number beyond 2^53, where not each has a name" : "");
}

std::string choice_hint(const FieldInfo& field, const Json& value) {
  if (!value.is_string() || field.choices.empty()) return {};
  return did_you_mean(value.get<std::string>(), field.choices);
}

void report_unknown_keys(const SchemaInfo& schema, const Json& given, std::string_view prefix,
                         const Locator& locate, Problems& problems) {
  std::vector<std::string> known;
  for (const FieldInfo& field : schema.fields) known.push_back(field.name);
  for (const auto& [key, value] : given.items()) {
    if (schema.find(key) != nullptr || key == "use") continue;
    problems.add({.what = "unknown key \"" + std::string(prefix) + key + "\"",
                  .where = locate(key),
                  .expected = known.empty() ? "no parameters" : "one of " + joined(known),
                  .found = {},
                  .fix = did_you_mean(key, known)});
  }
}

}  // namespace

std::string_view to_string(FieldType type) { return type_names[static_cast<std::size_t>(type)]; }

const FieldInfo* SchemaInfo::find(std::string_view name) const {
  const auto it = std::find_if(fields.begin(), fields.end(),
                               [&](const FieldInfo& field) { return field.name == name; });
  return it == fields.end() ? nullptr : &*it;
}

const TrainPreset* SchemaInfo::preset(std::string_view name) const {
  const auto it = std::find_if(presets.begin(), presets.end(),
                               [&](const TrainPreset& preset) { return preset.name == name; });
  return it == presets.end() ? nullptr : &*it;
}

Json to_json(const SchemaInfo& schema) {
  Json fields = Json::array();
  for (const FieldInfo& f : schema.fields) {
    Json json{{"name", f.name}, {"type", to_string(f.type)}, {"default", f.default_value}};
    if (f.list) json["list"] = true;
    if (f.min) json["min"] = *f.min;
    if (f.max) json["max"] = *f.max;
    if (f.open_min) json["open_min"] = true;
    if (f.open_max) json["open_max"] = true;
    if (!f.choices.empty()) json["choices"] = f.choices;
    if (!f.kind.empty()) json["kind"] = f.kind;
    if (f.content) json["content"] = true;
    if (!f.doc.empty()) json["doc"] = f.doc;
    if (!f.source.empty()) json["source"] = f.source;
    if (!f.only_if.empty()) json["only_if"] = f.only_if;
    if (!f.only_for.empty()) json["only_for"] = f.only_for;
    if (!f.at_most.empty()) json["at_most"] = f.at_most;
    if (f.sizes != 0) json["sizes"] = f.sizes;
    fields.push_back(std::move(json));
  }
  Json checks = Json::array();
  for (const SchemaCheck& check : schema.checks) {
    checks.push_back({{"predicate", check.predicate}, {"message", check.message}});
  }
  Json presets = Json::array();
  for (const TrainPreset& preset : schema.presets) {
    presets.push_back(
        {{"name", preset.name}, {"train", preset.train}, {"source", preset.source}});
  }
  return {{"fields", std::move(fields)},
          {"checks", std::move(checks)},
          {"presets", std::move(presets)}};
}

SchemaInfo schema_from_json(const Json& json) {
  SchemaInfo schema;
  for (const Json& f : json.at("fields")) {
    FieldInfo field;
    field.name = f.at("name");
    field.type = field_type(f.at("type").get<std::string>());
    field.default_value = f.at("default");
    field.list = f.value("list", false);
    if (f.contains("min")) field.min = f["min"].get<double>();
    if (f.contains("max")) field.max = f["max"].get<double>();
    field.open_min = f.value("open_min", false);
    field.open_max = f.value("open_max", false);
    field.choices = f.value("choices", std::vector<std::string>{});
    field.kind = f.value("kind", "");
    field.content = f.value("content", false);
    field.doc = f.value("doc", "");
    field.source = f.value("source", "");
    field.only_if = f.value("only_if", "");
    field.only_for = f.value("only_for", "");
    field.at_most = f.value("at_most", "");
    field.sizes = f.value("sizes", 0);
    schema.fields.push_back(std::move(field));
  }
  for (const Json& check : json.at("checks")) {
    schema.checks.push_back({check.at("predicate"), check.at("message")});
  }
  for (const Json& preset : json.value("presets", Json::array())) {
    schema.presets.push_back({preset.at("name"), preset.at("train"), preset.at("source")});
  }
  return schema;
}

Json resolve_params(const SchemaInfo& schema, const Json& given, std::string_view prefix,
                    const Locator& locate, Problems& problems) {
  Json resolved = Json::object();
  report_unknown_keys(schema, given, prefix, locate, problems);
  for (const FieldInfo& field : schema.fields) {
    const std::string key = std::string(prefix) + field.name;
    const auto it = given.find(field.name);
    if (it == given.end()) {
      if (field.default_value.is_null()) {
        problems.add({.what = "\"" + key + "\" is missing", .where = locate(""),
                      .expected = expectation(field), .found = {},
                      .fix = field.doc.empty() ? "" : "give it a value: " + field.doc});
      }
      resolved[field.name] = field.default_value;
      continue;
    }
    const auto value = field.list ? convert_list(field, *it) : convert(field, *it);
    if (!value) {
      problems.add({.what = "\"" + key + "\" has a value that does not fit", .where = locate(field.name),
                    .expected = expectation(field), .found = shown(*it),
                    .fix = choice_hint(field, *it)});
    }
    resolved[field.name] = value.value_or(field.default_value);
  }
  return resolved;
}

}  // namespace espalier
