// Which build of a library a file is.
#pragma once

#include <filesystem>
#include <string>

namespace espalier {

// The GNU build id that the linker put into the file, in hexadecimal; the SHA-256 of the file where
// it put none. Throws Error when the file cannot be read or is no library of this machine.
[[nodiscard]] std::string build_id(const std::filesystem::path& library);

// Enough of one to tell it from others.
[[nodiscard]] std::string short_build(const std::string& build);

}  // namespace espalier
