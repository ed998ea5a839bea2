// result.h5: everything about one trial. docs/results.md describes its layout.
//
// After HDF5's own bytes, which readers of HDF5 do not look behind, comes a seal of 72 bytes:
// `sha256 `, the SHA-256 of all bytes before it in hexadecimal, a line feed. A file that was
// edited, cut or damaged is told by it before the library sees any of it.
#pragma once

#include "results/metrics_columns.hpp"
#include "results/trial_result.hpp"
#include <cstdint>
#include <espalier/core/content.hpp>
#include <espalier/core/json.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace espalier {

// What identifies a result.h5, and where the rows of its /metrics lie. HDF5 stores a contiguous
// dataset as plain bytes, so whoever keeps this can read the rows of thousands of files without
// opening them one by one with the library.
struct ResultExtent {
  std::int64_t bytes = 0;  // of the whole file
  std::string sha256;      // of the whole file, in hexadecimal
  std::int64_t metrics_offset = 0;
  std::int64_t metrics_rows = 0;
  std::int64_t metrics_row_bytes = 0;

  bool operator==(const ResultExtent&) const = default;
};

[[nodiscard]] Json to_json(const ResultExtent& extent);
// Empty where `json` is not one, or impossible.
[[nodiscard]] std::optional<ResultExtent> extent_from_json(const Json& json);

// Under a temporary name, synced, renamed. Throws StorageError when the file cannot be written.
ResultExtent write_result(const std::filesystem::path& file, const TrialResult& result);

// Everything but the environment. Throws Error when the file is none, does not fit its seal, or
// lacks a part.
[[nodiscard]] TrialResult read_result(const std::filesystem::path& file);
// The same of HDF5's bytes, without a seal, which may be hostile; `origin` is named where they are
// wrong.
[[nodiscard]] TrialResult parse_result(std::string_view bytes, const std::string& origin);

// Whether `file` is the one that `extent` tells of. Throws Error when something else than a file is
// in its place.
[[nodiscard]] bool has_extent(const std::filesystem::path& file, const ResultExtent& extent,
                              ContentHasher& hasher);
// Adds the rows of /metrics. Throws Error when the file cannot be read that far.
void read_metrics(const std::filesystem::path& file, const ResultExtent& extent,
                  MetricsColumns& into);

}  // namespace espalier
