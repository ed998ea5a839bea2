// result.h5: everything about one trial. docs/results.md describes its layout.
//
// After HDF5's own bytes, which readers of HDF5 do not look behind, comes a seal of 72 bytes:
// `sha256 `, the SHA-256 of all bytes before it in hexadecimal, a line feed. A file that was
// edited, cut or damaged is told by it before the library sees any of it.
#pragma once

#include "results/result_extent.hpp"
#include "results/trial_result.hpp"
#include <filesystem>
#include <string>
#include <string_view>

namespace espalier {

// Under a temporary name, synced, renamed. Throws StorageError when the file cannot be written.
ResultExtent write_result(const std::filesystem::path& file, const TrialResult& result);

// Everything but the environment. Throws Error when the file is none, does not fit its seal, or
// lacks a part.
[[nodiscard]] TrialResult read_result(const std::filesystem::path& file);
// The same of HDF5's bytes, without a seal, which may be hostile; `origin` is named where they are
// wrong.
[[nodiscard]] TrialResult parse_result(std::string_view bytes, const std::string& origin);

}  // namespace espalier
