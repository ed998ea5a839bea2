// What a trial reads that its name depends on.
#pragma once

#include <espalier/core/content.hpp>
#include <filesystem>
#include <string>

namespace espalier {

// Data, weights or a plugin, as they were when the plan was made.
struct TrialInput {
  std::string name;  // `dataset.root`, `gnn/gcn`
  std::filesystem::path path;
  HashedContent content;
};

}  // namespace espalier
