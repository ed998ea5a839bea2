// The conformance suite over the plugins in a folder, loaded into this process.
#pragma once

#include <espalier/testing/conformance.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace espalier::conformance {

// The plugins of one folder, before those that are found around the running program: a component
// may be made of others that are installed.
class Suite {
 public:
  // Loads them all. Throws Error when the folder is not there or one of its plugins cannot be
  // loaded.
  explicit Suite(const std::filesystem::path& folder);
  ~Suite();

  [[nodiscard]] const std::vector<ComponentInfo>& components() const;
  // Its settings under those parameters of `given` that it has. Throws Error when one does not fit.
  [[nodiscard]] std::vector<Subject> settings(const ComponentInfo& info, const Json& given) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// One property of one component.
class Case {
 public:
  Case(std::shared_ptr<const Suite> suite, ComponentInfo info, Property property);

  [[nodiscard]] std::string component() const { return info_.kind + "/" + info_.name; }
  [[nodiscard]] const Property& property() const noexcept { return property_; }
  // Letters, digits and underscores.
  [[nodiscard]] std::string name() const;
  [[nodiscard]] Finding run() const;

 private:
  std::shared_ptr<const Suite> suite_;
  ComponentInfo info_;
  Property property_;
};

// Every property of every component of a folder.
[[nodiscard]] std::vector<Case> cases(const std::filesystem::path& folder);

}  // namespace espalier::conformance
