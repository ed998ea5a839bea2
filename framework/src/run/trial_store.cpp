#include "run/trial_store.hpp"
#include "results/journal.hpp"
#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <functional>
#include <utility>

namespace espalier {
namespace fs = std::filesystem;
namespace {

std::vector<fs::path> other_experiments(const fs::path& results, const fs::path& mine) {
  std::vector<fs::path> folders;
  std::error_code ignored;
  std::error_code failed;
  for (fs::directory_iterator it(results, failed), end; !failed && it != end;
       it.increment(failed)) {
    const fs::directory_entry& entry = *it;
    fs::path trials = entry.path() / "trials";
    if (entry.path() != mine && fs::is_directory(trials, ignored)) {
      folders.push_back(std::move(trials));
    }
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

void each_name(const fs::path& folder, const std::function<void(std::string)>& take) {
  std::error_code failed;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
    take(it->path().filename().string());
  }
}

void link_or_copy(const fs::path& from, const fs::path& to) {
  std::error_code failed;
  fs::create_hard_link(from, to, failed);
  if (failed) copy_own_file(from, to);
}

}  // namespace

TrialStore::TrialStore(fs::path results, const std::string& experiment)
    : results_(std::move(results)),
      experiment_(results_ / experiment),
      others_(other_experiments(results_, experiment_)),
      hasher_(result_digests(results_)) {}

fs::path TrialStore::folder(const std::string& trial_id) const {
  return experiment_ / "trials" / trial_id;
}

std::unordered_set<std::string> TrialStore::begun() const {
  std::unordered_set<std::string> names;
  each_name(experiment_ / "trials", [&](std::string name) { names.insert(std::move(name)); });
  return names;
}

TrialStore::Places TrialStore::begun_elsewhere() const {
  Places places;
  for (std::uint32_t i = 0; i < others_.size(); ++i) {
    each_name(others_[i], [&](std::string name) { places[std::move(name)].push_back(i); });
  }
  return places;
}

TrialRecord TrialStore::read(const std::string& trial_id) const {
  return read_trial(folder(trial_id), hasher_);
}

std::optional<TrialStore::Found> TrialStore::complete_in(const fs::path& trials,
                                                         const std::string& trial_id) const {
  fs::path folder = trials / trial_id;
  if (!fs::exists(folder / "result.h5")) return std::nullopt;
  TrialRecord record = read_trial(folder, hasher_);
  if (record.status != TrialStatus::complete) return std::nullopt;
  return Found{std::move(folder), std::move(record)};
}

std::optional<TrialStore::Found> TrialStore::elsewhere(const std::string& trial_id) const {
  for (const fs::path& trials : others_) {
    if (auto found = complete_in(trials, trial_id)) return found;
  }
  return std::nullopt;
}

std::optional<TrialStore::Found> TrialStore::elsewhere(const std::string& trial_id,
                                                       const Places& begun) const {
  const auto places = begun.find(trial_id);
  if (places == begun.end()) return std::nullopt;
  for (const std::uint32_t place : places->second) {
    if (auto found = complete_in(others_[place], trial_id)) return found;
  }
  return std::nullopt;
}

void TrialStore::adopt(const std::string& trial_id, const fs::path& from) const {
  const TrialRecord record = read_trial(from, hasher_);
  ESPALIER_ASSERT(record.status == TrialStatus::complete, "only complete trials are adopted");
  const fs::path to = folder(trial_id);
  fs::create_directories(to);
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(from)) {
    const fs::path name = entry.path().lexically_relative(from);
    if (name == "journal.jsonl") continue;
    const fs::file_type type = entry.symlink_status().type();
    if (type == fs::file_type::directory) {
      fs::create_directories(to / name);
    } else if (type == fs::file_type::regular) {
      fs::remove(to / name);
      link_or_copy(entry.path(), to / name);
    }
  }
  Journal journal(to / "journal.jsonl");
  journal.append(start_record(trial_id, record.result.combo_id, record.result.attempt));
  if (!record.extent) return;
  Json complete = complete_record(record.result, *record.extent);
  complete["builds"] = record.builds;
  complete["from"] = from.lexically_relative(experiment_).string();
  journal.append(complete);
}

}  // namespace espalier
