// The pictures whose pixels are known: those that come with the tests, and more where
// ESPALIER_DATA_DIR, or ../shared/data beside the sources, has photos and ../golden has their
// values.
#pragma once

#include <cstdlib>
#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <filesystem>
#include <optional>

namespace espalier::testing_support {

[[nodiscard]] inline std::filesystem::path data_dir() {
  const char* given = std::getenv("ESPALIER_DATA_DIR");
  return given != nullptr ? std::filesystem::path(given)
                          : std::filesystem::path(ESPALIER_SOURCE_DIR) / ".." / "shared" / "data";
}

[[nodiscard]] inline std::filesystem::path golden_dir() { return data_dir() / ".." / "golden"; }

// The cases of golden/images, or nothing where they are absent.
[[nodiscard]] inline std::optional<Json> golden_image_cases() {
  const std::filesystem::path file = golden_dir() / "images" / "cases.json";
  if (!std::filesystem::exists(file)) return std::nullopt;
  return parse_json(read_file(file), file.string()).at("cases");
}

}  // namespace espalier::testing_support
