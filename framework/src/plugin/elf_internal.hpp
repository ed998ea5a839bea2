// One section of an ELF file, for files that may be hostile.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace espalier {

// The bytes of the section called `name`, or nothing where there is none. Every offset is checked
// against the file, and at most `limit` bytes of the section are accepted. Throws Error when the
// file cannot be read, is no 64-bit little-endian ELF file for this processor, or contradicts
// itself.
[[nodiscard]] std::optional<std::string> elf_section(const std::filesystem::path& file,
                                                     std::string_view name, std::size_t limit);

}  // namespace espalier
