// Parameters declared once.
//
// A component keeps its parameters in a struct with defaults and one function
//
//   void bind(espalier::Schema<Params>& s) {
//     s.field("rank", &Params::rank).range(1, 1024).doc("Rank of the update matrices");
//     s.check("alpha <= 4 * rank", "alpha is unusually large for this rank");
//   }
//
// found by argument-dependent lookup. That is the validation, the help, the documentation, the
// sweepable axes and the identity of the component: nothing else describes them.
#pragma once

#include <cstdint>
#include <espalier/core/error.hpp>
#include <espalier/core/json.hpp>
#include <espalier/core/words.hpp>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace espalier {

enum class FieldType { boolean, integer, number, string, path, component };

[[nodiscard]] std::string_view to_string(FieldType type);

// A path whose content, not whose text, enters the identity of a trial: a file counts by its bytes,
// a folder by the names and bytes of all files in it that are not hidden. `builtin:NAME` names data
// that comes with Espalier.
struct ContentPath {
  std::string text;
  bool operator==(const ContentPath&) const = default;
};

// Another component used inside this one, such as the layer of an adapter. Written `name` or
// `{use: name, key: value}`.
struct ComponentRef {
  std::string use;
  Json params = Json::object();
  bool operator==(const ComponentRef&) const = default;
};

struct FieldInfo {
  std::string name;
  FieldType type = FieldType::string;
  bool list = false;  // a list of `type`
  Json default_value;  // null: the user must give it
  std::optional<double> min;
  std::optional<double> max;
  bool open_min = false;  // min itself is not allowed
  bool open_max = false;
  std::vector<std::string> choices;  // empty: any string
  std::string kind;                  // of a component field
  bool content = false;              // a ContentPath
  std::string doc;                   // one line without a full stop
  std::string source;                // where the default comes from, such as "Hu et al. 2021"
  // A predicate (core/predicate.hpp). Where it is false the value cannot matter: it is left out of
  // the identity, and trials that differ in it alone are one.
  std::string only_if;
  // Of a component with two towers: the one that is used of it, `image` or `text`. Where the trial
  // does not look at such features the component cannot matter, nor can its settings of the other
  // tower.
  std::string only_for;
  // The name of another number: where that is above 0, a larger value of this one counts as it.
  std::string at_most;
};

// A predicate over the parameters that must hold, and the message where it does not.
struct SchemaCheck {
  std::string predicate;
  std::string message;
};

struct SchemaInfo {
  std::vector<FieldInfo> fields;
  std::vector<SchemaCheck> checks;

  [[nodiscard]] const FieldInfo* find(std::string_view name) const;
};

[[nodiscard]] Json to_json(const SchemaInfo& schema);
[[nodiscard]] SchemaInfo schema_from_json(const Json& json);

// Says where the value under a key was written (`a.yaml:12`); the key is relative to the section.
using Locator = std::function<std::string(std::string_view key)>;

// `given` with every default filled in and every value in its declared type (a number given as `1`
// becomes 1.0, a component given as `gcn` becomes {"use": "gcn"}). Unknown keys, missing values,
// wrong types and values out of range are added to `problems`, with `prefix` before the key. Nested
// components are not descended into: the catalog does that.
[[nodiscard]] Json resolve_params(const SchemaInfo& schema, const Json& given,
                                  std::string_view prefix, const Locator& locate,
                                  Problems& problems);

namespace detail {

template <class V>
struct FieldTraits;
template <>
struct FieldTraits<bool> {
  static constexpr FieldType type = FieldType::boolean;
};
template <>
struct FieldTraits<std::int64_t> {
  static constexpr FieldType type = FieldType::integer;
};
template <>
struct FieldTraits<double> {
  static constexpr FieldType type = FieldType::number;
};
template <>
struct FieldTraits<std::string> {
  static constexpr FieldType type = FieldType::string;
};
template <>
struct FieldTraits<ContentPath> {
  static constexpr FieldType type = FieldType::path;
};
template <>
struct FieldTraits<ComponentRef> {
  static constexpr FieldType type = FieldType::component;
};

template <class V>
struct IsVector : std::false_type {};
template <class V>
struct IsVector<std::vector<V>> : std::true_type {};

template <class V>
Json value_to_json(const V& value) {
  if constexpr (IsVector<V>::value) {
    Json list = Json::array();
    for (const auto& item : value) list.push_back(value_to_json(item));
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
V value_from_json(const Json& json) {
  if constexpr (IsVector<V>::value) {
    V list;
    for (const Json& item : json) list.push_back(value_from_json<typename V::value_type>(item));
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

}  // namespace detail

// Refines the field that Schema::field() just added; each call returns itself.
class FieldBuilder {
 public:
  explicit FieldBuilder(FieldInfo& info) : info_(&info) {}

  FieldBuilder& range(double low, double high) { return min(low).max(high); }
  FieldBuilder& min(double low) { return info_->min = low, *this; }
  FieldBuilder& max(double high) { return info_->max = high, *this; }
  FieldBuilder& above(double low) { return info_->min = low, info_->open_min = true, *this; }
  FieldBuilder& below(double high) { return info_->max = high, info_->open_max = true, *this; }
  FieldBuilder& choices(std::vector<std::string> names) {
    return info_->choices = std::move(names), *this;
  }
  FieldBuilder& kind(std::string name) { return info_->kind = std::move(name), *this; }
  FieldBuilder& required() { return info_->default_value = nullptr, *this; }
  FieldBuilder& doc(std::string line) { return info_->doc = std::move(line), *this; }
  FieldBuilder& source(std::string where) { return info_->source = std::move(where), *this; }
  FieldBuilder& only_if(std::string predicate) {
    return info_->only_if = std::move(predicate), *this;
  }
  FieldBuilder& only_for(std::string tower) { return info_->only_for = std::move(tower), *this; }
  FieldBuilder& at_most(std::string other) { return info_->at_most = std::move(other), *this; }

 private:
  FieldInfo* info_;
};

// Collects the fields of the parameter struct T, which must be default-constructible.
template <class T>
class Schema {
 public:
  template <class V>
  FieldBuilder field(std::string name, V T::*member) {
    FieldInfo info;
    info.name = std::move(name);
    info.default_value = detail::value_to_json(T{}.*member);
    if constexpr (detail::IsVector<V>::value) {
      info.list = true;
      info.type = detail::FieldTraits<typename V::value_type>::type;
      info.content = std::is_same_v<typename V::value_type, ContentPath>;
    } else {
      info.type = detail::FieldTraits<V>::type;
      info.content = std::is_same_v<V, ContentPath>;
    }
    setters_.emplace_back(info.name, [member](T& params, const Json& value) {
      params.*member = detail::value_from_json<V>(value);
    });
    info_.fields.push_back(std::move(info));
    return FieldBuilder(info_.fields.back());
  }

  void check(std::string predicate, std::string message) {
    info_.checks.push_back({std::move(predicate), std::move(message)});
  }

  [[nodiscard]] const SchemaInfo& info() const noexcept { return info_; }

  // `resolved` comes from resolve_params() with this schema.
  [[nodiscard]] T parse(const Json& resolved) const {
    T params;
    for (const auto& [name, set] : setters_) {
      if (const auto it = resolved.find(name); it != resolved.end()) set(params, *it);
    }
    return params;
  }

 private:
  SchemaInfo info_;
  std::vector<std::pair<std::string, std::function<void(T&, const Json&)>>> setters_;
};

// The schema of a parameter struct, by its bind().
template <class T>
[[nodiscard]] Schema<T> schema_of() {
  Schema<T> schema;
  bind(schema);
  return schema;
}

// For components without parameters.
struct NoParams {};
inline void bind(Schema<NoParams>&) {}

}  // namespace espalier
