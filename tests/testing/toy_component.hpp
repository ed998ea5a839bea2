// A component that is known by its description alone, and what one property finds in it.
#pragma once

#include <gmock/gmock.h>

#include <espalier/testing/conformance.hpp>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace espalier::testing_support {

inline ComponentInfo info(const std::string& kind, std::vector<std::string> capabilities) {
  return {.kind = kind,
          .name = "toy",
          .version = 1,
          .summary = "A toy",
          .capabilities = std::move(capabilities),
          .schema = {},
          .file = {}};
}

inline conformance::Finding find(const std::string& property, const ComponentInfo& component,
                                 const conformance::Maker& make) {
  const Catalog catalog = Catalog::of({component});
  const auto settings = conformance::settings(catalog, component, Json::object(), make);
  for (const conformance::Property& one : conformance::properties(component.kind)) {
    if (one.name == property) return conformance::examine(one, settings);
  }
  return {conformance::State::skipped, "no such property"};
}

// The same in one that is made here.
template <class Component>
conformance::Finding find(const std::string& property, std::vector<std::string> capabilities) {
  using Interface = typename Component::Interface;
  const auto make = [](std::string_view, const Json&, const RunContext&) -> std::shared_ptr<void> {
    const std::shared_ptr<Interface> made = std::make_shared<Component>();
    return made;
  };
  return find(property, info(std::string(Interface::kind), std::move(capabilities)), make);
}

template <class Component>
void expect_violation(const std::string& property, std::vector<std::string> capabilities,
                      const std::string& message) {
  const conformance::Finding finding = find<Component>(property, std::move(capabilities));
  EXPECT_EQ(finding.state, conformance::State::violated) << property;
  EXPECT_THAT(finding.message, testing::HasSubstr(message)) << property;
}

}  // namespace espalier::testing_support
