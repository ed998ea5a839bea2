// What lies in a folder, at any depth.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

struct FoundFile {
  std::string name;                     // below the folder, with "/" between its parts
  std::optional<struct stat> status{};  // of a file; nothing of what is none
  // Of a link to a folder that was searched already: where that lies, by name. Real folders are
  // searched before links to folders.
  std::string same_as{};
};

// Files, links followed, without what is left out (core/left_out.hpp); sorted by name. Among them
// is what is no file: links that lead nowhere, to a folder above or to one that was searched
// already, pipes, devices, folders that may not be read. Every folder is searched once, however
// many ways lead there. Nothing, and errno, where the folder itself cannot be read. Throws Error on
// more than 5,000,000 entries.
[[nodiscard]] std::optional<std::vector<FoundFile>> files_in(const std::filesystem::path& folder);

// `train`, `val` or `test` for a folder that is called like a split: also `training`, `valid`,
// `validation`, `testing`, in any case. Empty for others.
[[nodiscard]] std::string_view split_word(std::string_view name);

// Keeps what lies in folders of classes: CLASS/..., or SPLIT/CLASS/... where two folders or more
// are called like splits.
void keep_class_folders(std::vector<FoundFile>& files);

}  // namespace espalier
