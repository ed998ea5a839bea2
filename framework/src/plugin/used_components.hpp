// The components that a resolved configuration names.
#pragma once

#include <espalier/core/json.hpp>
#include <espalier/plugin/catalog.hpp>
#include <vector>

namespace espalier {

// Of all sections, and those inside them, each as often as it is named.
[[nodiscard]] std::vector<const ComponentInfo*> used_components(const Json& config,
                                                                const Catalog& catalog);

}  // namespace espalier
