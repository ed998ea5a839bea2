// What a plugin says of itself in its ELF section `.espalier.plugin`, read without loading it.
//
// The section holds the text `ESPALIER1` and a JSON object:
//   {"manifest": 1, "abi": {field: text, ...},
//    "components": [{"kind", "name", "version", "summary", "capabilities"}, ...]}
#pragma once

#include <cstdint>
#include <espalier/core/error.hpp>
#include <espalier/core/json.hpp>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace espalier {

// Field to value, as plugin/abi.hpp writes it.
using AbiStamp = std::map<std::string, std::string>;

struct ManifestComponent {
  std::string kind;
  std::string name;
  std::int64_t version = 1;
  std::string summary;
  std::vector<std::string> capabilities;  // sorted
};

struct Manifest {
  AbiStamp abi;
  std::vector<ManifestComponent> components;
};

// The text in the section, up to its first NUL, or nothing where the file has no such section.
// Throws Error when the file cannot be read or is no ELF file for this machine. The file may be
// hostile.
[[nodiscard]] std::optional<std::string> read_manifest_section(const std::filesystem::path& file);

// Throws Error when the text is no manifest that this version understands.
[[nodiscard]] Manifest parse_manifest(std::string_view text, std::string_view origin);

// Both of the above.
[[nodiscard]] Manifest read_manifest(const std::filesystem::path& file);

// What this installation's plugins are stamped with; `torch` is the version that the headers of its
// LibTorch name.
[[nodiscard]] const AbiStamp& host_abi();

// One problem that names every field that differs, or nothing where the plugin fits.
[[nodiscard]] std::optional<Problem> abi_problem(const AbiStamp& plugin, const AbiStamp& host,
                                                 const std::filesystem::path& file);

}  // namespace espalier
