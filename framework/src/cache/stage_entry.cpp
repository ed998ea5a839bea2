#include "cache/stage_entry.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include "cache/stage_cache.hpp"
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/units.hpp>
#include <utility>
#include <variant>

namespace espalier {
namespace {

namespace fs = std::filesystem;

// Of the disk, left to journals and results.
constexpr std::int64_t reserve = 100'000'000;

void touch(const fs::path& file) { ::utimensat(AT_FDCWD, file.c_str(), nullptr, 0); }

bool disk_has(const fs::path& folder, std::int64_t bytes) {
  std::error_code failed;
  const fs::space_info space = fs::space(folder, failed);
  return failed || static_cast<std::int64_t>(space.available) - reserve >= bytes;
}

// While a part is stored.
class Storing {
 public:
  explicit Storing(EntryLock& lock) : lock_(lock) { lock_.begin_storing(); }
  Storing(const Storing&) = delete;
  Storing& operator=(const Storing&) = delete;
  ~Storing() { lock_.end_storing(); }

 private:
  EntryLock& lock_;
};

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

void StageEntry::accept(const Json& settings) {
  if (settings_.is_null()) settings_ = settings;
  if (settings_ == settings) return;
  throw Error({.what = stage_ + " in the cache were made under other settings, and are never mixed",
               .where = folder_.string(),
               .expected = settings.dump(),
               .found = settings_.dump(),
               .fix = "set encoder.precision and --device to what was used, or remove what is "
                      "there: espalier cache prune --older 0"});
}

void StageEntry::use(const Json& settings) { accept(settings); }

void StageEntry::place(std::shared_ptr<const StagePart> part) {
  accept(part->settings());
  const StagePart& kept = *parts_.emplace_back(std::move(part));
  std::size_t row = 0;
  for (const std::string& id : kept.ids()) places_.try_emplace(id, Place{&kept, row++});
}

void StageEntry::read_parts() {
  for (const fs::path& file : part_files(folder_)) {
    if (!seen_.insert(file).second) continue;
    auto read = storage_.shelf->open(file);
    if (auto* part = std::get_if<std::shared_ptr<const StagePart>>(&read)) {
      place(std::move(*part));
      continue;
    }
    const auto& fault = std::get<StagePart::Fault>(read);
    std::error_code ignored;
    if (!fs::exists(file, ignored)) continue;  // removed meanwhile
    if (fault.newer) {
      storage_.warn(file.string() +
                    " is left alone, for a newer version wrote it: " + fault.reason);
      continue;
    }
    storage_.warn(file.string() + " is damaged and is made again: " + fault.reason);
    fs::remove_all(file, ignored);
  }
}

std::vector<std::string> StageEntry::missing(std::span<const std::string> ids) const {
  std::vector<std::string> absent;
  std::unordered_set<std::string_view> seen;
  for (const std::string& id : ids) {
    if (!holds(id) && seen.insert(id).second) absent.push_back(id);
  }
  return absent;
}

StageEntry::Place StageEntry::find(const std::string& id) const { return places_.at(id); }

void StageEntry::stop_storing(const std::string& why) {
  leave();  // so that nobody waits for what is not stored
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

void StageEntry::add(std::span<const std::string> ids, std::span<const TensorView> tensors) {
  storage_.check();
  if (settings_.is_null()) settings_ = Json::object();
  auto part = std::make_shared<const StagePart>(ids, tensors, settings_);
  if (storing_ && lock_.is_open()) {
    const Storing storing(lock_);
    read_parts();
    if (store(*part)) return;
  }
  place(std::move(part));
}

bool StageEntry::store(const StagePart& part) try {
  if (!fs::exists(folder_ / stage_about_name)) {
    write_file(folder_ / stage_about_name, about_.dump(2) + "\n");
  }
  std::size_t number = parts_.size();
  const auto name = [&] { return folder_ / ("part-" + std::to_string(number) + ".safetensors"); };
  while (fs::exists(name())) ++number;
  part.write(name());
  auto stored = storage_.shelf->open(name());
  seen_.insert(name());
  if (auto* same = std::get_if<0>(&stored)) return place(std::move(*same)), true;
  stop_storing(name().string() + " cannot be read back: " + std::get<1>(stored).reason);
  return false;
} catch (const Error& error) {
  stop_storing(error.problems().front().found);
  return false;
} catch (const fs::filesystem_error& error) {
  stop_storing(error.code().message());
  return false;
}

}  // namespace espalier
