#include "run/trial_store.hpp"
#include "results/journal.hpp"
#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>

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

void add_names(const fs::path& folder, std::unordered_set<std::string>& names) {
  std::error_code failed;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
    names.insert(it->path().filename().string());
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
  add_names(experiment_ / "trials", names);
  return names;
}

std::unordered_set<std::string> TrialStore::begun_elsewhere() const {
  std::unordered_set<std::string> names;
  for (const fs::path& trials : others_) add_names(trials, names);
  return names;
}

TrialRecord TrialStore::read(const std::string& trial_id) const {
  return read_trial(folder(trial_id), hasher_);
}

std::optional<fs::path> TrialStore::elsewhere(const std::string& trial_id) const {
  for (const fs::path& trials : others_) {
    fs::path candidate = trials / trial_id;
    if (!fs::exists(candidate / "result.h5")) continue;
    if (read_trial(candidate, hasher_).status == TrialStatus::complete) return candidate;
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
