// Where the trials of an experiment are kept: results/<experiment>/trials/<trial_id>.
#pragma once

#include "results/trial_record.hpp"
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

namespace espalier {

class TrialStore {
 public:
  // Neither folder need exist.
  TrialStore(std::filesystem::path results, const std::string& experiment);

  [[nodiscard]] const std::filesystem::path& experiment() const noexcept { return experiment_; }
  [[nodiscard]] std::filesystem::path cache() const { return results_ / ".cache"; }
  [[nodiscard]] std::filesystem::path folder(const std::string& trial_id) const;

  // Trials that have a folder here, and those that have one in other experiments, with the places
  // of these in a list of the store: they spare looking for every trial of a large plan in every
  // folder.
  using Places = std::unordered_map<std::string, std::vector<std::uint32_t>>;
  [[nodiscard]] std::unordered_set<std::string> begun() const;
  [[nodiscard]] Places begun_elsewhere() const;

  [[nodiscard]] TrialRecord read(const std::string& trial_id) const;
  // Knows the results that were read, across runs once it is saved.
  [[nodiscard]] ContentHasher& hasher() const noexcept { return hasher_; }

  // The same trial in another experiment under the same results root, if it is complete there.
  struct Found {
    std::filesystem::path folder;
    TrialRecord record;
  };
  [[nodiscard]] std::optional<Found> elsewhere(const std::string& trial_id) const;
  // Looks only where it had a folder when begun_elsewhere() was asked.
  [[nodiscard]] std::optional<Found> elsewhere(const std::string& trial_id,
                                               const Places& begun) const;
  // Makes a trial that is complete in `from` complete here too: its files are linked (or copied,
  // where links cannot be made) and a journal of its own says where it came from.
  void adopt(const std::string& trial_id, const std::filesystem::path& from) const;

 private:
  [[nodiscard]] std::optional<Found> complete_in(const std::filesystem::path& trials,
                                                 const std::string& trial_id) const;

  std::filesystem::path results_;
  std::filesystem::path experiment_;
  std::vector<std::filesystem::path> others_;  // trials/ of the other experiments
  mutable ContentHasher hasher_;
};

}  // namespace espalier
