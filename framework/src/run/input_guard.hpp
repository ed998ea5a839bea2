// Sees to it that nothing is stored under the name of data that is no longer there.
#pragma once

#include "experiment/input.hpp"
#include <espalier/core/content.hpp>
#include <filesystem>
#include <map>
#include <span>
#include <utility>

namespace espalier {

// Compares marks, and so reads only files that somebody touched; a file that was touched and holds
// the same bytes is fine. One for all trials of a process.
class InputGuard {
 public:
  // `memo` is where hashes are remembered, as ContentHasher takes it.
  explicit InputGuard(std::filesystem::path memo) : hasher_(std::move(memo)) {}

  // Throws Error with every input that is not what it was when it was hashed.
  void check(std::span<const TrialInput> inputs);

 private:
  [[nodiscard]] bool unchanged(const TrialInput& input);

  ContentHasher hasher_;
  // What had another mark and was hashed again.
  std::map<std::pair<std::filesystem::path, ContentScope>, HashedContent> seen_;
};

}  // namespace espalier
