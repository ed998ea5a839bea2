// What every component of a kind must do, whoever wrote it.
//
// A property is one sentence and the code that tries to refute it. `espalier plugins check` and the
// tests of Espalier and of plugins elsewhere run the same properties: docs/plugins.md lists them.
#pragma once

#include <cstdint>
#include <espalier/plugin/catalog.hpp>
#include <espalier/plugin/context.hpp>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::conformance {

// Makes the component that a section names, with the defaults of what it leaves out, and lets
// through what its constructor throws.
using Maker = std::function<std::shared_ptr<void>(std::string_view kind, const Json& section,
                                                  const RunContext& context)>;

// One component under test, in one setting of its parameters.
class Subject {
 public:
  // `section` is resolved, or null where parameters are missing that only a person can give. The
  // catalog and `make` also serve the components that this one is made of.
  Subject(const Catalog& catalog, const ComponentInfo& info, Json section, Maker make);

  [[nodiscard]] const Catalog& catalog() const noexcept { return *catalog_; }
  [[nodiscard]] const ComponentInfo& info() const noexcept { return *info_; }
  [[nodiscard]] const Json& section() const noexcept { return section_; }
  [[nodiscard]] bool has(std::string_view capability) const;

  // A component in a context with this seed.
  template <class Interface>
  [[nodiscard]] std::shared_ptr<Interface> make(std::int64_t seed = 1) const {
    return std::static_pointer_cast<Interface>(make_any(seed));
  }
  // Another component of the catalog, in its defaults.
  template <class Interface>
  [[nodiscard]] std::shared_ptr<Interface> make_other(const ComponentInfo& other) const {
    return std::static_pointer_cast<Interface>(with(other).make_any(1));
  }
  [[nodiscard]] std::shared_ptr<void> make_any(std::int64_t seed) const;
  // The same component with these parameters, and defaults for the others. Throws Error where they
  // do not fit.
  [[nodiscard]] Subject given(const Json& params) const;
  // The same component with another value of a parameter; empty where that does not fit.
  [[nodiscard]] std::optional<Subject> changed(const std::string& parameter,
                                               const Json& value) const;

 private:
  [[nodiscard]] Subject with(const ComponentInfo& other) const;

  const Catalog* catalog_;
  const ComponentInfo* info_;
  Json section_;
  Maker make_;
};

struct Property {
  std::string name;       // permutation_equivariance
  std::string statement;  // one sentence without a full stop
  bool needs_instance;    // looks at a component, not at its description alone
  // Throws Violation, Skip, or whatever the component throws.
  std::function<void(const Subject&)> check;
  bool in_one_setting = false;  // changes settings itself, so the first is enough
};

class Violation : public std::exception {
 public:
  explicit Violation(std::string message) : message_(std::move(message)) {}
  [[nodiscard]] const char* what() const noexcept override { return message_.c_str(); }

 private:
  std::string message_;
};

// The property does not apply; the message says why.
class Skip : public Violation {
 public:
  using Violation::Violation;
};

// Throws Violation with the message unless the condition holds.
void expect(bool condition, const std::string& message);

// Those of all kinds first, then those of the kind.
[[nodiscard]] std::vector<Property> properties(std::string_view kind);

enum class State { holds, violated, skipped };
[[nodiscard]] std::string_view to_string(State state);

struct Finding {
  State state = State::holds;
  std::string message;  // why not
};

// The settings in which a component is looked at: `given` over its defaults, then each of its
// choices and switches turned once. At least one; its section is null where parameters are missing.
[[nodiscard]] std::vector<Subject> settings(const Catalog& catalog, const ComponentInfo& info,
                                            const Json& given, const Maker& make);

// Checks one property in every setting, and that the component leaves the process as it was:
// threads, gradient mode, default type, and the global generator. Never throws.
[[nodiscard]] Finding examine(const Property& property, const std::vector<Subject>& settings);

}  // namespace espalier::conformance
