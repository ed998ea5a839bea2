#include <espalier/core/builtin.hpp>

#include <cstdlib>
#include <espalier/core/error.hpp>
#include <espalier/core/process.hpp>
#include <espalier/core/schema.hpp>
#include <set>
#include <string>

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view builtin_prefix = "builtin:";

std::vector<std::string> builtin_names() {
  std::set<std::string> names;
  std::error_code error;
  for (const fs::path& folder : builtin_folders()) {
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      names.insert(entry.path().filename().string());
    }
  }
  return {names.begin(), names.end()};
}

[[noreturn]] void unknown(const std::string& name) {
  const std::vector<std::string> names = builtin_names();
  throw Error({.what = "no built-in data is called \"" + name + "\"",
               .where = builtin_folders().front().string(),
               .expected = names.empty() ? "" : "one of " + joined(names),
               .found = {},
               .fix = did_you_mean(name, names, "builtin:")});
}

fs::path builtin(const std::string& name) {
  if (name.empty() || name[0] == '.' || name.find('/') != std::string::npos) unknown(name);
  for (const fs::path& folder : builtin_folders()) {
    if (fs::exists(folder / name)) return folder / name;
  }
  unknown(name);
}

}  // namespace

std::vector<fs::path> builtin_folders() {
  const fs::path folder = current_executable().parent_path();
  return {(folder / "../share/espalier").lexically_normal(),
          (folder / "../../share/espalier").lexically_normal()};
}

fs::path resolve_path(std::string_view text) {
  if (text.substr(0, builtin_prefix.size()) == builtin_prefix) {
    return builtin(std::string(text.substr(builtin_prefix.size())));
  }
  const char* home = std::getenv("HOME");
  if (text.substr(0, 2) == "~/" && home != nullptr) return fs::path(home) / text.substr(2);
  return fs::absolute(text).lexically_normal();
}

}  // namespace espalier
