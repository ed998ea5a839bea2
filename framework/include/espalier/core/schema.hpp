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
  bool list = false;   // a list of `type`
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
  // Of a whole number that `budget.trainable` may set: 1 where a component trains the more the
  // larger it is, -1 where the less; 0: it is left alone.
  int sizes = 0;
};

// A predicate over the parameters that must hold, and the message where it does not.
struct SchemaCheck {
  std::string predicate;
  std::string message;
};

// Settings of the section `train` under which a method was published: what `train.preset` names.
struct TrainPreset {
  std::string name;
  Json train;          // by key of the section
  std::string source;  // where they stand, such as "Hu et al. 2021, appendix D"
};

struct SchemaInfo {
  std::vector<FieldInfo> fields;
  std::vector<SchemaCheck> checks;
  std::vector<TrainPreset> presets = {};

  [[nodiscard]] const FieldInfo* find(std::string_view name) const;
  [[nodiscard]] const TrainPreset* preset(std::string_view name) const;
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

// Refines the field that Schema::field() just added; each call returns itself.
class FieldBuilder {
 public:
  explicit FieldBuilder(FieldInfo& info) : info_(&info) {}

  FieldBuilder& range(double low, double high);
  FieldBuilder& min(double low);
  FieldBuilder& max(double high);
  FieldBuilder& above(double low);
  FieldBuilder& below(double high);
  FieldBuilder& choices(std::vector<std::string> names);
  FieldBuilder& kind(std::string_view name);
  FieldBuilder& required();
  FieldBuilder& doc(std::string_view line);
  FieldBuilder& source(std::string_view where);
  FieldBuilder& only_if(std::string_view predicate);
  FieldBuilder& only_for(std::string_view tower);
  FieldBuilder& at_most(std::string_view other);
  FieldBuilder& sizes(int direction = 1);

 private:
  FieldInfo* info_;
};

namespace detail {

template <class V, class... Types>
inline constexpr bool is_one_of = (std::is_same_v<V, Types> || ...);

// What a parameter can be: one of these, or a list of them.
template <class V>
inline constexpr bool is_field =
    is_one_of<V, bool, std::int64_t, double, std::string, ContentPath, ComponentRef>;
template <class V>
inline constexpr bool is_field<std::vector<V>> = is_field<V>;

template <class V>
concept FieldValue = is_field<V>;

// Compiled with Espalier, once for every type of field.
template <FieldValue V>
void read_value(const Json& json, V& value);

// What a schema holds whatever struct it is of.
class SchemaFields {
 public:
  SchemaFields() = default;
  SchemaFields(const SchemaFields&) = default;
  SchemaFields& operator=(const SchemaFields&) = default;
  ~SchemaFields();

  void check(std::string_view predicate, std::string_view message);
  // The settings that the method was published with, `{{"lr", 2e-4}, {"epochs", 100}}`, and where.
  void paper(Json train, std::string_view source);
  [[nodiscard]] const SchemaInfo& info() const noexcept { return info_; }

 protected:
  using Setter = std::function<void(void* params, const Json& value)>;

  template <FieldValue V>
  FieldBuilder add(std::string_view name, const V& usual, Setter set);
  void set_all(const Json& resolved, void* params) const;

 private:
  SchemaInfo info_;
  std::vector<std::pair<std::string, Setter>> setters_;
};

}  // namespace detail

// Collects the fields of the parameter struct T, which must be default-constructible.
template <class T>
class Schema : public detail::SchemaFields {
 public:
  template <detail::FieldValue V>
  FieldBuilder field(std::string_view name, V T::*member) {
    return add(name, usual_.*member, [member](void* params, const Json& value) {
      detail::read_value(value, static_cast<T*>(params)->*member);
    });
  }

  // `resolved` comes from resolve_params() with this schema.
  [[nodiscard]] T parse(const Json& resolved) const {
    T params;
    set_all(resolved, &params);
    return params;
  }

 private:
  T usual_{};
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
