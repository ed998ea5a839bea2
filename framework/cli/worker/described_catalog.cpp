#include "described_catalog.hpp"

#include <espalier/core/process.hpp>

namespace espalier::cli {

Catalog described_catalog(const std::vector<std::string>& folders) {
  Catalog catalog = Catalog::installed(folders);
  catalog.describe(current_executable());
  return catalog;
}

}  // namespace espalier::cli
