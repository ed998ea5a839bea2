#include <unistd.h>

#include "cache/stage_cache.hpp"
#include "cache/stage_entry.hpp"
#include <algorithm>
#include <chrono>
#include <deque>
#include <espalier/core/file.hpp>
#include <system_error>
#include <thread>

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr int attempts = 200;
constexpr auto between_attempts = std::chrono::milliseconds(10);

// What a writer that was killed left behind; nobody else may be writing.
void remove_leftovers(const fs::path& folder) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == ".tmp") fs::remove(entry.path(), ignored);
  }
}

}  // namespace

StageEntry::Claims::Claims(StageEntry& entry, std::span<const std::string> wanted)
    : entry_(entry), wanted_(entry.missing(wanted)), rest_(wanted_.begin(), wanted_.end()) {
  if (!entry_.storing_ || wanted_.empty()) return;
  const auto cannot = [&](const std::string& why) {
    entry_.stop_storing(entry_.folder_.string() + " cannot be written: " + why);
  };
  try {
    if (!join()) cannot("others remove it all the time");
  } catch (const std::system_error& error) {
    cannot(error.code().message());
  } catch (const StorageError& error) {
    cannot(error.problems().front().found);
  }
}

// Anew where the entry is removed in between.
bool StageEntry::Claims::join() {
  const fs::path& folder = entry_.folder_;
  EntryLock& lock = entry_.lock_;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    fs::create_directories(folder);
    try {
      lock.open(folder);
    } catch (const StorageError&) {
      if (fs::exists(folder)) throw;
      continue;
    }
    if (lock.own_all() && lock.is_of(folder)) remove_leftovers(folder);
    if (lock.share() && lock.is_of(folder)) return true;
    std::this_thread::sleep_for(between_attempts);
  }
  return false;
}

StageEntry::Claims::~Claims() { entry_.leave(); }

void StageEntry::leave() {
  if (!lock_.is_open()) return;
  try {
    if (part_files(folder_).empty() && lock_.own_all() && lock_.is_of(folder_)) {
      for (const std::string_view name : {stage_about_name, stage_lock_name}) {
        ::unlink((folder_ / name).c_str());
      }
      ::rmdir(folder_.c_str());
    }
  } catch (const std::system_error&) {
    // What is left is an empty entry, which does no harm.
  }
  lock_.close();
}

void StageEntry::Claims::take(std::deque<std::string>& from, std::size_t most,
                              std::vector<std::string>& taken) {
  std::deque<std::string> busy;
  while (!from.empty() && taken.size() < most) {
    std::string id = std::move(from.front());
    from.pop_front();
    if (entry_.holds(id)) continue;
    const bool mine = !entry_.lock_.is_open() || entry_.lock_.claim(id);
    if (mine) {
      taken.push_back(std::move(id));
    } else {
      busy.push_back(std::move(id));
    }
  }
  others_.insert(others_.end(), busy.begin(), busy.end());
}

std::vector<std::string> StageEntry::Claims::next(std::size_t most) try {
  std::vector<std::string> taken;
  entry_.read_parts();
  take(rest_, most, taken);
  if (taken.empty()) {
    std::deque<std::string> again;
    again.swap(others_);
    take(again, most, taken);
    others_.insert(others_.end(), again.begin(), again.end());
  }
  // Others may have stored some before they were claimed here.
  entry_.read_parts();
  const auto stored = std::stable_partition(
      taken.begin(), taken.end(), [&](const std::string& id) { return !entry_.holds(id); });
  release(std::span(stored, taken.end()));
  const bool all_stored = stored == taken.begin() && stored != taken.end();
  taken.erase(stored, taken.end());
  return all_stored ? next(most) : taken;
} catch (const std::system_error& error) {
  entry_.stop_storing("its lock cannot be taken: " + error.code().message());
  rest_.assign(wanted_.begin(), wanted_.end());
  return next(most);
}

void StageEntry::Claims::release(std::span<const std::string> ids) {
  if (!entry_.lock_.is_open()) return;
  for (const std::string& id : ids) entry_.lock_.release(id);
}

}  // namespace espalier
