#include "experiment_folders.hpp"

#include <algorithm>
#include <espalier/core/error.hpp>

namespace espalier::cli {
namespace {

namespace fs = std::filesystem;

bool is_experiment(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / "plan.jsonl", ignored);
}

}  // namespace

std::vector<fs::path> experiments_below(const fs::path& folder) {
  std::vector<fs::path> found;
  if (is_experiment(folder)) return {folder};
  std::error_code failed;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
    if (is_experiment(it->path())) found.push_back(it->path());
  }
  std::sort(found.begin(), found.end());
  if (!found.empty()) return found;
  throw Error({.what = "there are no results",
               .where = folder.string(),
               .expected = "the folder of an experiment, or one that holds such folders",
               .found = failed ? failed.message() : "",
               .fix = "espalier run makes results"});
}

}  // namespace espalier::cli
