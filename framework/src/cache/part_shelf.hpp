// Parts of the cache that this process has mapped and verified, so that it does so once.
#pragma once

#include "cache/stage_part.hpp"
#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <variant>

namespace espalier {

// Not thread-safe.
class PartShelf {
 public:
  using Opened = std::variant<std::shared_ptr<const StagePart>, StagePart::Fault>;

  // Maps and verifies a file, unless one of the same name, size, time and inode is kept.
  [[nodiscard]] Opened open(const std::filesystem::path& file);
  // How many files were verified.
  [[nodiscard]] std::int64_t verified() const noexcept { return verified_; }

 private:
  using Mark = std::array<std::int64_t, 5>;  // of a file; zeros: it cannot be looked at
  struct Kept {
    Mark mark;
    std::shared_ptr<const StagePart> part;
  };
  [[nodiscard]] static Mark mark_of(const std::filesystem::path& file);

  std::map<std::filesystem::path, Kept> kept_;
  std::int64_t verified_ = 0;
};

}  // namespace espalier
