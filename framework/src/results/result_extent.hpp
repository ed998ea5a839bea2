// Which bytes a result.h5 has, and reading the rows of its /metrics where they lie.
#pragma once

#include "results/metrics_columns.hpp"
#include <cstdint>
#include <espalier/core/content.hpp>
#include <espalier/core/json.hpp>
#include <filesystem>
#include <optional>
#include <string>

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

// Whether `file` is the one that `extent` tells of. Throws Error when something else than a file is
// in its place.
[[nodiscard]] bool has_extent(const std::filesystem::path& file, const ResultExtent& extent,
                              ContentHasher& hasher);
// Adds the rows of /metrics. Throws Error when the file cannot be read that far.
void read_metrics(const std::filesystem::path& file, const ResultExtent& extent,
                  MetricsColumns& into);

}  // namespace espalier
