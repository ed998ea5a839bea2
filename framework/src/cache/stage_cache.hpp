// The cache as a whole, for those who look after it.
#pragma once

#include "cache/entry_lock.hpp"
#include "cache/stage_part.hpp"
#include <cstdint>
#include <espalier/core/json.hpp>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

// In the folder of every entry (stage_entry.hpp).
inline constexpr std::string_view stage_about_name = "about.json";

struct CachedStage {
  std::string stage;
  std::string key;
  std::filesystem::path folder;
  std::vector<std::filesystem::path> parts;
  std::int64_t bytes = 0;                // of all files
  std::filesystem::file_time_type made;  // the first part, or the folder where there is none
  std::filesystem::file_time_type used;  // last opened by a trial

  // The key that plans name: of activations what stands before the dot and the cut.
  [[nodiscard]] std::string family() const { return key.substr(0, key.find('.')); }
  // By the indices of the parts, damaged ones aside.
  [[nodiscard]] std::int64_t samples() const;
  // What it was made of: {"inputs", whose canonical JSON has the key as its SHA-256, and "config",
  // the sections of the configuration}. Null where that is not recorded or fits another key.
  [[nodiscard]] Json about() const;
};

struct PartFault {
  std::filesystem::path file;
  StagePart::Fault fault;
};

class StageCache {
 public:
  // `folder` need not exist.
  explicit StageCache(std::filesystem::path folder) : folder_(std::move(folder)) {}

  [[nodiscard]] const std::filesystem::path& folder() const noexcept { return folder_; }

  // By stage and key. Throws Error where the folder cannot be read.
  [[nodiscard]] std::vector<CachedStage> entries() const;
  // The one whose key begins so, with its stage and a slash before or not. Throws Error where there
  // is none, or more than one.
  [[nodiscard]] CachedStage find(const std::string& name) const;

  // Takes an entry away as a whole; false where a process is filling it. Throws Error where the
  // folder cannot be written.
  [[nodiscard]] bool remove(const CachedStage& entry) const;
  // Those of removals that were cut short.
  void remove_leftovers() const;

 private:
  std::filesystem::path folder_;
};

// Reads all of an entry; those of its parts that cannot be used.
[[nodiscard]] std::vector<PartFault> verify(const CachedStage& entry);

// In the order of their names; none where the folder is not there.
[[nodiscard]] std::vector<std::filesystem::path> part_files(const std::filesystem::path& entry);

// Of all entries.
[[nodiscard]] std::int64_t cache_bytes(const std::filesystem::path& cache);

}  // namespace espalier
