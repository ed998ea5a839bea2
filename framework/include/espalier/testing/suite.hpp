// The conformance suite over the plugins in a folder, loaded into this process.
#pragma once

#include <espalier/testing/conformance.hpp>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace espalier::conformance {

// The plugins of one folder, before those that are found around the running program: a component
// may be made of others that are installed.
class Suite {
 public:
  // Loads them all, and lets LibTorch and the BLAS keep the threads that they have. Throws Error
  // when the folder is not there or one of its plugins cannot be loaded.
  explicit Suite(const std::filesystem::path& folder);
  ~Suite();

  [[nodiscard]] const std::vector<ComponentInfo>& components() const;
  // Its settings under those parameters of `given` that it has. Throws Error when one does not fit.
  [[nodiscard]] std::vector<Subject> settings(const ComponentInfo& info, const Json& given) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// What a component needs that only a person can give: `kind/name` to its parameters.
using Given = std::map<std::string, Json>;

// One property of one component, which is looked at with `given` over its defaults.
class Case {
 public:
  Case(std::shared_ptr<const Suite> suite, ComponentInfo info, Property property, Json given);

  [[nodiscard]] std::string component() const { return info_.kind + "/" + info_.name; }
  [[nodiscard]] const Property& property() const noexcept { return property_; }
  // Letters, digits and underscores.
  [[nodiscard]] std::string name() const;
  [[nodiscard]] Finding run() const;

 private:
  std::shared_ptr<const Suite> suite_;
  ComponentInfo info_;
  Property property_;
  Json given_;
};

// Every property of every component of a folder. Throws Error where `given` names a component that
// is not there.
[[nodiscard]] std::vector<Case> cases(const std::filesystem::path& folder, const Given& given = {});

}  // namespace espalier::conformance
