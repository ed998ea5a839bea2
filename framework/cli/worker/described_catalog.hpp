#pragma once

#include <espalier/plugin/catalog.hpp>
#include <string>
#include <vector>

namespace espalier::cli {

// Catalog::installed() with all schemas, which capabilities of components in components need.
[[nodiscard]] Catalog described_catalog(const std::vector<std::string>& folders);

}  // namespace espalier::cli
