#include "plugin/build_id.hpp"

#include <elf.h>

#include <cstdint>
#include <cstring>
#include <espalier/core/hash.hpp>
#include <string_view>

#include "elf_internal.hpp"

namespace espalier {
namespace {

constexpr std::size_t longest_note = 4096;
constexpr std::size_t shown_digits = 12;

std::string hex_of(std::string_view bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    text += {digits[byte >> 4], digits[byte & 15]};
  }
  return text;
}

// What a note of GNU's describes; empty where it is another note.
std::string_view build_note(std::string_view note) {
  Elf64_Nhdr header{};
  constexpr std::string_view owner("GNU", 4);
  if (note.size() < sizeof header + owner.size()) return {};
  std::memcpy(&header, note.data(), sizeof header);
  note.remove_prefix(sizeof header);
  const bool ours = header.n_type == NT_GNU_BUILD_ID && header.n_namesz == owner.size() &&
                    note.starts_with(owner);
  note.remove_prefix(owner.size());
  return ours && header.n_descsz <= note.size() ? note.substr(0, header.n_descsz)
                                                : std::string_view();
}

}  // namespace

std::string build_id(const std::filesystem::path& library) {
  const auto note = elf_section(library, ".note.gnu.build-id", longest_note);
  const std::string_view id = note ? build_note(*note) : std::string_view();
  return id.empty() ? hex(sha256_file(library)) : hex_of(id);
}

std::string short_build(const std::string& build) { return build.substr(0, shown_digits); }

}  // namespace espalier
