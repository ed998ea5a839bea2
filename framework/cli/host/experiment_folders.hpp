// Folders of experiments, as people name them to verbs that read results.
#pragma once

#include <filesystem>
#include <vector>

namespace espalier::cli {

// `folder` itself where it is an experiment's, else those below it, by name. Throws Error when
// there is none.
[[nodiscard]] std::vector<std::filesystem::path> experiments_below(
    const std::filesystem::path& folder);

}  // namespace espalier::cli
