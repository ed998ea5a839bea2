// Whole files, read with a limit and written so that nobody ever sees half of one.
//
// What a user names may be a symbolic link. What Espalier writes, and reads back of its own, may
// not: a link, a pipe or a device in the place of a journal, a lock or a result is refused, so that
// nothing behind it is changed and nobody waits for its other end.
#pragma once

#include <cstddef>
#include <espalier/core/descriptor.hpp>
#include <espalier/core/error.hpp>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

namespace espalier {

// What was to be kept could not be stored: no room, no permission, a broken disk, something else in
// its place. It says nothing about the trial that wanted to store it.
class StorageError : public Error {
 public:
  using Error::Error;
};

// Whether an error of the system is about the disk: full, over quota, read-only, broken, away.
[[nodiscard]] bool is_storage_failure(const std::error_code& code);

// Opens a regular file for reading. Throws Error when it cannot be read or is something else.
[[nodiscard]] Descriptor open_input(const std::filesystem::path& file);
// The bytes of a regular file. Throws Error when it cannot be read, is no regular file or has more
// than `limit` bytes.
[[nodiscard]] std::string read_file(const std::filesystem::path& file,
                                    std::size_t limit = std::size_t{64} << 20);

// Files of Espalier's own. `flags` are those of open(2), which get O_CLOEXEC and what keeps from
// links and pipes. Throws StorageError when a file that may be written cannot be opened, and Error
// when one that is read cannot; either names what is in its place.
[[nodiscard]] Descriptor open_own_file(const std::filesystem::path& file, int flags);
[[nodiscard]] std::string read_own_file(const std::filesystem::path& file,
                                        std::size_t limit = std::size_t{64} << 20);
// For those that map a file. Throws Error when it is anything but a regular file.
void require_own_file(const std::filesystem::path& file);
// Whether there is something of that name, be it a link that leads nowhere.
[[nodiscard]] bool is_there(const std::filesystem::path& file);

// Writes to a temporary name beside `file`, syncs, renames and syncs the folder. Throws
// StorageError when any of it fails or something else than a regular file has the name; `file` is
// then what it was before.
void write_file(const std::filesystem::path& file, std::string_view bytes);
// The same with the bytes in pieces, one after the other.
void write_file(const std::filesystem::path& file, std::span<const std::string_view> pieces);
// The same with the bytes of another file of Espalier's own.
void copy_own_file(const std::filesystem::path& from, const std::filesystem::path& to);

// Appends to an open file, all of it or nothing. False, with errno, where that failed.
[[nodiscard]] bool append_whole(int fd, std::string_view bytes);

}  // namespace espalier
