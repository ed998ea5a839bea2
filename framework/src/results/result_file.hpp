// result.h5: everything about one trial. docs/results.md describes its layout.
#pragma once

#include "results/metrics_columns.hpp"
#include "results/trial_result.hpp"
#include <cstdint>
#include <espalier/core/json.hpp>
#include <filesystem>
#include <optional>

namespace espalier {

// Where the rows of /metrics lie in a result.h5. HDF5 stores a contiguous dataset as plain bytes,
// so whoever keeps this can read the rows of thousands of files without opening them one by one
// with the library, and can tell by its size alone that a file was cut.
struct ResultExtent {
  std::int64_t bytes = 0;  // of the whole file
  std::int64_t metrics_offset = 0;
  std::int64_t metrics_rows = 0;
  std::int64_t metrics_row_bytes = 0;

  bool operator==(const ResultExtent&) const = default;
};

[[nodiscard]] Json to_json(const ResultExtent& extent);
// Empty where `json` is not one, or impossible.
[[nodiscard]] std::optional<ResultExtent> extent_from_json(const Json& json);

// Under a temporary name, synced, renamed. Throws Error when the file cannot be written.
ResultExtent write_result(const std::filesystem::path& file, const TrialResult& result);

// Everything but the environment. Throws Error when the file is none, is cut, or lacks a part.
[[nodiscard]] TrialResult read_result(const std::filesystem::path& file);

// Whether `file` is there with the size that `extent` says.
[[nodiscard]] bool has_extent(const std::filesystem::path& file, const ResultExtent& extent);
// Adds the rows of /metrics. Throws Error when the file cannot be read that far.
void read_metrics(const std::filesystem::path& file, const ResultExtent& extent,
                  MetricsColumns& into);

}  // namespace espalier
