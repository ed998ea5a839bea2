// Sees to it that nothing is stored under the name of data that is no longer there.
#pragma once

#include "experiment/input.hpp"
#include <espalier/core/content.hpp>
#include <filesystem>
#include <map>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace espalier {

// Compares marks, and so reads only files that somebody touched; a file that was touched and holds
// the same bytes is fine. One for all trials of a process.
class InputGuard {
 public:
  // `memo` is where hashes are remembered, as ContentHasher takes it.
  explicit InputGuard(std::filesystem::path memo) : hasher_(std::move(memo)) {}

  // Throws Error with every input that is not what it was when it was hashed.
  void check(std::span<const TrialInput> inputs);
  // The same at the end of a trial, but for inputs that passed at the end of another one where
  // nothing was read since: what was made of them is right whatever they are now. With thousands of
  // photos a look at each takes longer than many a trial. A check() before the end does not count,
  // for a trial may go on reading after it.
  void check_at_end(std::span<const TrialInput> inputs);
  // A trial reads, from now to its end.
  void note_reading() { passed_.clear(); }

 private:
  using Names = std::vector<std::pair<std::string, Digest>>;
  [[nodiscard]] static Names names_of(std::span<const TrialInput> inputs);
  [[nodiscard]] bool unchanged(const TrialInput& input);

  ContentHasher hasher_;
  // What had another mark and was hashed again.
  std::map<std::pair<std::filesystem::path, ContentScope>, HashedContent> seen_;
  std::set<Names> passed_;  // at the end of trials, since something was read
};

}  // namespace espalier
