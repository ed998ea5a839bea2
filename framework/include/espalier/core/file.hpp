// Whole files, read with a limit and written so that nobody ever sees half of one.
#pragma once

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

namespace espalier {

// The bytes of a regular file. Throws Error when it cannot be read, is no regular file or has more
// than `limit` bytes.
[[nodiscard]] std::string read_file(const std::filesystem::path& file,
                                    std::size_t limit = std::size_t{64} << 20);

// Writes to a temporary name beside `file`, syncs, renames and syncs the folder. Throws Error when
// any of it fails; `file` is then what it was before.
void write_file(const std::filesystem::path& file, std::string_view bytes);
// The same with the bytes in pieces, one after the other.
void write_file(const std::filesystem::path& file, std::span<const std::string_view> pieces);

}  // namespace espalier
