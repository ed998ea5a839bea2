// A component that is known by its description alone, and what one property finds in it.
#pragma once

#include <espalier/testing/conformance.hpp>
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

}  // namespace espalier::testing_support
