// What Git leaves in place of a large file that was not fetched.
#pragma once

#include <filesystem>
#include <string_view>

namespace espalier {

// Throws Error that says how to fetch the file where `bytes`, all of it, are the few lines that Git
// LFS leaves in its place (https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md). read_file()
// and MappedFile::open() ask it.
void refuse_lfs_pointer(const std::filesystem::path& file, std::string_view bytes);

}  // namespace espalier
