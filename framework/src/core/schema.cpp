#include <espalier/core/schema.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

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

std::string list_text(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    if (!text.empty()) text += ", ";
    text += name;
  }
  return text;
}

std::string expectation(const FieldInfo& field) {
  std::string text(to_string(field.type));
  if (!field.choices.empty()) text = "one of " + list_text(field.choices);
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

std::optional<Json> as_integer(const FieldInfo& field, const Json& value) {
  if (!value.is_number()) return {};
  const double number = value.get<double>();
  const bool exact = std::abs(number) <= 9007199254740992.0 && number == std::floor(number);
  if (!exact || !in_range(field, number)) return {};
  return static_cast<std::int64_t>(number);
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
    case FieldType::number:
      if (!value.is_number() || !std::isfinite(value.get<double>())) return {};
      return in_range(field, value.get<double>()) ? std::optional<Json>(value.get<double>())
                                                  : std::nullopt;
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

std::string choice_hint(const FieldInfo& field, const Json& value) {
  if (!value.is_string() || field.choices.empty()) return {};
  const auto near = nearest_name(value.get<std::string>(), field.choices);
  return near ? "did you mean \"" + *near + "\"?" : "";
}

// Insertions, deletions, changes and swaps of neighbours that lead from one word to the other.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> above(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (std::size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t change = row[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      next[j] = std::min({row[j] + 1, next[j - 1] + 1, change});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) next[j] = std::min(next[j], above[j - 2] + 1);
    }
    std::swap(above, row);
    std::swap(row, next);
  }
  return row.back();
}

void report_unknown_keys(const SchemaInfo& schema, const Json& given, std::string_view prefix,
                         const Locator& locate, Problems& problems) {
  std::vector<std::string> known;
  for (const FieldInfo& field : schema.fields) known.push_back(field.name);
  for (const auto& [key, value] : given.items()) {
    if (schema.find(key) != nullptr || key == "use") continue;
    const auto near = nearest_name(key, known);
    problems.add({.what = "unknown key \"" + std::string(prefix) + key + "\"",
                  .where = locate(key),
                  .expected = known.empty() ? "no parameters" : "one of " + list_text(known),
                  .found = {},
                  .fix = near ? "did you mean \"" + *near + "\"?" : ""});
  }
}

}  // namespace

std::string_view to_string(FieldType type) { return type_names[static_cast<std::size_t>(type)]; }

const FieldInfo* SchemaInfo::find(std::string_view name) const {
  const auto it = std::find_if(fields.begin(), fields.end(),
                               [&](const FieldInfo& field) { return field.name == name; });
  return it == fields.end() ? nullptr : &*it;
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
    fields.push_back(std::move(json));
  }
  Json checks = Json::array();
  for (const SchemaCheck& check : schema.checks) {
    checks.push_back({{"predicate", check.predicate}, {"message", check.message}});
  }
  return {{"fields", std::move(fields)}, {"checks", std::move(checks)}};
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
    schema.fields.push_back(std::move(field));
  }
  for (const Json& check : json.at("checks")) {
    schema.checks.push_back({check.at("predicate"), check.at("message")});
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
                    .expected = expectation(field), .found = it->dump(),
                    .fix = choice_hint(field, *it)});
    }
    resolved[field.name] = value.value_or(field.default_value);
  }
  return resolved;
}

std::optional<std::string> nearest_name(std::string_view word,
                                        const std::vector<std::string>& known) {
  if (word.size() < 2) return {};
  std::size_t best = 1 + std::max<std::size_t>(1, word.size() / 3);
  std::optional<std::string> name;
  for (const std::string& candidate : known) {
    if (const std::size_t distance = edit_distance(word, candidate); distance < best) {
      best = distance;
      name = candidate;
    }
  }
  return name;
}

}  // namespace espalier
