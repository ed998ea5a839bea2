#include <cstdlib>
#include <espalier/plugin/catalog.hpp>
#include <sstream>

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr const char* environment_variable = "ESPALIER_PLUGIN_PATH";

void append_environment(std::vector<fs::path>& folders) {
  const char* value = std::getenv(environment_variable);
  if (value == nullptr) return;
  std::istringstream list(value);
  for (std::string folder; std::getline(list, folder, ':');) {
    // Never the current folder: an empty entry is dropped.
    if (!folder.empty()) folders.emplace_back(folder);
  }
}

// The folder above bin/ or libexec/espalier/.
fs::path prefix_of(const fs::path& executable) {
  const fs::path parent = executable.parent_path().parent_path();
  return parent.filename() == "libexec" ? parent.parent_path() : parent;
}

}  // namespace

PluginPath PluginPath::standard(const fs::path& executable, std::vector<fs::path> given) {
  PluginPath path{.folders = std::move(given), .optional = {}};
  append_environment(path.optional);
  const fs::path prefix = prefix_of(executable);
  path.optional.push_back(prefix / "plugins");
  path.optional.push_back(prefix / ESPALIER_INSTALL_LIBDIR / "espalier" / "plugins");
  return path;
}

}  // namespace espalier
