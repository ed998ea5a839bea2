// Where the data lies that a path parameter names.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

namespace espalier {

// The folders with data that comes with Espalier, in the order of search: share/espalier beside the
// folder of the running program, and one level further up for programs in libexec/espalier.
[[nodiscard]] std::vector<std::filesystem::path> builtin_folders();

// `builtin:NAME` is data that comes with Espalier, `~/x` lies in the user's home, all else is a
// path, relative to the working directory. The result is absolute; it need not exist. Throws Error
// when there is no built-in data of that name.
[[nodiscard]] std::filesystem::path resolve_path(std::string_view text);

}  // namespace espalier
