// Schemas as plugins fill them, compiled here so that plugins need not.
#include <espalier/core/schema.hpp>
#include <type_traits>

namespace espalier {
namespace detail {
namespace {

constexpr FieldType type_of(std::type_identity<bool>) { return FieldType::boolean; }
constexpr FieldType type_of(std::type_identity<std::int64_t>) { return FieldType::integer; }
constexpr FieldType type_of(std::type_identity<double>) { return FieldType::number; }
constexpr FieldType type_of(std::type_identity<std::string>) { return FieldType::string; }
constexpr FieldType type_of(std::type_identity<ContentPath>) { return FieldType::path; }
constexpr FieldType type_of(std::type_identity<ComponentRef>) { return FieldType::component; }

template <class V>
constexpr bool is_list = false;
template <class V>
constexpr bool is_list<std::vector<V>> = true;

template <class V>
Json written(const V& value) {
  if constexpr (is_list<V>) {
    Json list = Json::array();
    for (const auto& item : value) list.push_back(written<typename V::value_type>(item));
    return list;
  } else if constexpr (std::is_same_v<V, ContentPath>) {
    return value.text;
  } else if constexpr (std::is_same_v<V, ComponentRef>) {
    Json object = value.params;
    object["use"] = value.use;
    return object;
  } else {
    return value;
  }
}

template <class V>
V read(const Json& json) {
  if constexpr (is_list<V>) {
    V list;
    for (const Json& item : json) list.push_back(read<typename V::value_type>(item));
    return list;
  } else if constexpr (std::is_same_v<V, ContentPath>) {
    return {json.get<std::string>()};
  } else if constexpr (std::is_same_v<V, ComponentRef>) {
    ComponentRef ref{json.at("use").get<std::string>(), json};
    ref.params.erase("use");
    return ref;
  } else {
    return json.get<V>();
  }
}

template <class V>
void set_type(FieldInfo& info) {
  if constexpr (is_list<V>) {
    set_type<typename V::value_type>(info);
    info.list = true;
  } else {
    info.type = type_of(std::type_identity<V>());
    info.content = std::is_same_v<V, ContentPath>;
  }
}

}  // namespace

template <FieldValue V>
void read_value(const Json& json, V& value) {
  value = read<V>(json);
}

template <FieldValue V>
FieldBuilder SchemaFields::add(std::string_view name, const V& usual, Setter set) {
  FieldInfo info;
  info.name = name;
  info.default_value = written(usual);
  set_type<V>(info);
  setters_.emplace_back(info.name, std::move(set));
  info_.fields.push_back(std::move(info));
  return FieldBuilder(info_.fields.back());
}

#define ESPALIER_FIELD(V)                                                      \
  template void read_value(const Json&, V&);                                   \
  template void read_value(const Json&, std::vector<V>&);                      \
  template FieldBuilder SchemaFields::add(std::string_view, const V&, Setter); \
  template FieldBuilder SchemaFields::add(std::string_view, const std::vector<V>&, Setter);
ESPALIER_FIELD(bool)
ESPALIER_FIELD(std::int64_t)
ESPALIER_FIELD(double)
ESPALIER_FIELD(std::string)
ESPALIER_FIELD(ContentPath)
ESPALIER_FIELD(ComponentRef)
#undef ESPALIER_FIELD

SchemaFields::~SchemaFields() = default;

void SchemaFields::check(std::string_view predicate, std::string_view message) {
  info_.checks.push_back({std::string(predicate), std::string(message)});
}

void SchemaFields::paper(Json train, std::string_view source) {
  info_.presets.push_back({"paper", std::move(train), std::string(source)});
}

void SchemaFields::set_all(const Json& resolved, void* params) const {
  for (const auto& [name, set] : setters_) {
    if (const auto it = resolved.find(name); it != resolved.end()) set(params, *it);
  }
}

}  // namespace detail

FieldBuilder& FieldBuilder::range(double low, double high) { return min(low).max(high); }
FieldBuilder& FieldBuilder::min(double low) { return info_->min = low, *this; }
FieldBuilder& FieldBuilder::max(double high) { return info_->max = high, *this; }
FieldBuilder& FieldBuilder::above(double low) {
  return info_->min = low, info_->open_min = true, *this;
}
FieldBuilder& FieldBuilder::below(double high) {
  return info_->max = high, info_->open_max = true, *this;
}
FieldBuilder& FieldBuilder::choices(std::vector<std::string> names) {
  return info_->choices = std::move(names), *this;
}
FieldBuilder& FieldBuilder::kind(std::string_view name) { return info_->kind = name, *this; }
FieldBuilder& FieldBuilder::required() { return info_->default_value = nullptr, *this; }
FieldBuilder& FieldBuilder::doc(std::string_view line) { return info_->doc = line, *this; }
FieldBuilder& FieldBuilder::source(std::string_view where) { return info_->source = where, *this; }
FieldBuilder& FieldBuilder::only_if(std::string_view predicate) {
  return info_->only_if = predicate, *this;
}
FieldBuilder& FieldBuilder::only_for(std::string_view tower) {
  return info_->only_for = tower, *this;
}
FieldBuilder& FieldBuilder::at_most(std::string_view other) {
  return info_->at_most = other, *this;
}
FieldBuilder& FieldBuilder::sizes(int direction) { return info_->sizes = direction, *this; }

}  // namespace espalier
