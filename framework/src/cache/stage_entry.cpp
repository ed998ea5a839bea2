#include "cache/stage_entry.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cache/stage_cache.hpp"
#include <cerrno>
#include <chrono>
#include <cstring>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/units.hpp>
#include <thread>
#include <utility>

namespace espalier {
namespace {

namespace fs = std::filesystem;

// Of the disk, left to journals and results.
constexpr std::int64_t reserve = 100'000'000;
constexpr int attempts = 10;

void touch(const fs::path& file) { ::utimensat(AT_FDCWD, file.c_str(), nullptr, 0); }

// What a writer that was killed left behind.
void remove_leftovers(const fs::path& folder) {
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == ".tmp") fs::remove(entry.path(), ignored);
  }
}

// Whether the open file is still the one of that name: an entry may have been removed meanwhile.
bool same_file(int descriptor, const fs::path& file) {
  struct stat mine {};
  struct stat there {};
  return ::fstat(descriptor, &mine) == 0 && ::stat(file.c_str(), &there) == 0 &&
         mine.st_dev == there.st_dev && mine.st_ino == there.st_ino;
}

bool disk_has(const fs::path& folder, std::int64_t bytes) {
  std::error_code failed;
  const fs::space_info space = fs::space(folder, failed);
  return failed || static_cast<std::int64_t>(space.available) - reserve >= bytes;
}

}  // namespace

StageEntry::StageEntry(const StageStorage& storage, std::string stage, std::string_view key,
                       Json about)
    : storage_(storage),
      stage_(std::move(stage)),
      folder_(storage.cache / stage_ / key),
      about_(std::move(about)) {
  read_parts();
  if (!parts_.empty()) touch(folder_ / stage_lock_name);
}

void StageEntry::place(StagePart part) {
  const StagePart& kept = parts_.emplace_back(std::move(part));
  std::size_t row = 0;
  for (const std::size_t sample : kept.samples()) places_.try_emplace(sample, Place{&kept, row++});
}

void StageEntry::read_parts() {
  for (const fs::path& file : part_files(folder_)) {
    if (!seen_.insert(file).second) continue;
    auto read = StagePart::open(file);
    if (auto* part = std::get_if<StagePart>(&read)) {
      place(std::move(*part));
      continue;
    }
    const auto& fault = std::get<StagePart::Fault>(read);
    if (fault.newer) {
      storage_.warn(file.string() +
                    " is left alone, for a newer version wrote it: " + fault.reason);
      continue;
    }
    storage_.warn(file.string() + " is damaged and is made again: " + fault.reason);
    std::error_code ignored;
    fs::remove_all(file, ignored);
  }
}

std::vector<std::size_t> StageEntry::missing(std::span<const std::size_t> samples) const {
  std::vector<std::size_t> absent;
  std::set<std::size_t> seen;
  for (const std::size_t sample : samples) {
    if (!places_.contains(sample) && seen.insert(sample).second) absent.push_back(sample);
  }
  return absent;
}

StageEntry::Place StageEntry::find(std::size_t sample) const { return places_.at(sample); }

void StageEntry::stop_storing(const std::string& why) {
  if (!std::exchange(storing_, false)) return;
  storage_.warn(stage_ + " are not stored, so every trial computes them again: " + why);
}

bool StageEntry::expect(std::int64_t bytes) try {
  if (!storing_) return false;
  if (storage_.limit != unlimited && bytes > storage_.limit - cache_bytes(storage_.cache)) {
    stop_storing("the cache is at its limit of " + bytes_text(storage_.limit) +
                 "; espalier cache prune makes room");
  } else if (!disk_has(folder_, bytes)) {
    stop_storing("the disk would have less than " + bytes_text(reserve) + " left");
  }
  return storing_;
} catch (const Error& error) {
  stop_storing(error.problems().front().found);
  return false;
}

void StageEntry::add(std::span<const std::size_t> samples, std::span<const TensorView> tensors) {
  storage_.check();
  StagePart part(samples, tensors);
  if (!storing_ || !store(part)) place(std::move(part));
}

bool StageEntry::store(const StagePart& part) try {
  if (!fs::exists(folder_ / stage_about_name)) {
    write_file(folder_ / stage_about_name, about_.dump(2) + "\n");
  }
  std::size_t number = parts_.size();
  const auto name = [&] { return folder_ / ("part-" + std::to_string(number) + ".safetensors"); };
  while (fs::exists(name())) ++number;
  part.write(name());
  auto stored = StagePart::open(name());
  seen_.insert(name());
  if (auto* same = std::get_if<StagePart>(&stored)) return place(std::move(*same)), true;
  stop_storing(name().string() + " cannot be read back: " + std::get<1>(stored).reason);
  return false;
} catch (const Error& error) {
  stop_storing(error.problems().front().found);
  return false;
} catch (const fs::filesystem_error& error) {
  stop_storing(error.code().message());
  return false;
}

// Anew where the entry is removed in between.
bool StageEntry::Lock::open() {
  const fs::path& folder = entry_.folder_;
  std::string why;
  for (int attempt = 0; attempt < attempts; ++attempt) try {
      fs::create_directories(folder);
      lock_ = open_own_file(folder / stage_lock_name, O_CREAT | O_RDWR);
      return true;
    } catch (const fs::filesystem_error& error) {
      why = error.code().message();
      break;
    } catch (const StorageError& error) {
      why = error.problems().front().found;
      std::error_code ignored;
      if (fs::exists(folder, ignored)) break;
    }
  entry_.stop_storing(folder.string() + " cannot be written: " + why);
  return false;
}

StageEntry::Lock::Lock(StageEntry& entry, const std::function<bool()>& waiting) : entry_(entry) {
  while (entry.storing_ && !held_ && !given_up_ && open()) {
    held_ = take(waiting) && same_file(lock_.get(), entry.folder_ / stage_lock_name);
    if (!held_) release();
  }
  if (!held_) return;
  remove_leftovers(entry.folder_);
  entry.read_parts();
}

bool StageEntry::Lock::take(const std::function<bool()>& waiting) {
  while (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      entry_.stop_storing("its lock cannot be taken: " + std::string(std::strerror(errno)));
      return false;
    }
    given_up_ = !waiting();
    if (given_up_) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  return true;
}

// An entry in which nothing was stored goes.
void StageEntry::Lock::release() {
  if (held_ && part_files(entry_.folder_).empty()) {
    for (const std::string_view name : {stage_about_name, stage_lock_name}) {
      ::unlink((entry_.folder_ / name).c_str());
    }
    ::rmdir(entry_.folder_.c_str());
  }
  held_ = false;
  lock_.close();
}

}  // namespace espalier
