#include "cache/stage_cache.hpp"

#include <algorithm>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/hash.hpp>
#include <functional>
#include <utility>
#include <variant>

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_about = 4 << 20;
constexpr const char* removed_prefix = ".removed-";

[[noreturn]] void cannot(const std::string& what, const fs::path& where, const std::string& found) {
  throw Error({.what = what,
               .where = where.string(),
               .expected = {},
               .found = found,
               .fix = "check the permissions of the folder"});
}

// Visible folders in a folder, sorted; nothing where it is none.
std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code failed;
  for (fs::directory_iterator it(folder, failed), end; !failed && it != end; it.increment(failed)) {
    std::error_code ignored;
    const bool hidden = it->path().filename().string().starts_with('.');
    if (!hidden && it->is_directory(ignored)) found.push_back(it->path());
  }
  if (failed && failed != std::errc::no_such_file_or_directory) {
    cannot("the cache cannot be read", folder, failed.message());
  }
  std::sort(found.begin(), found.end());
  return found;
}

CachedStage describe(const fs::path& folder) {
  CachedStage entry;
  entry.stage = folder.parent_path().filename().string();
  entry.key = folder.filename().string();
  entry.folder = folder;
  entry.parts = part_files(folder);
  std::error_code failed;
  for (fs::recursive_directory_iterator it(folder, failed), end; !failed && it != end;
       it.increment(failed)) {
    std::error_code ignored;
    const std::uintmax_t size = it->is_regular_file(ignored) ? it->file_size(ignored) : 0;
    if (!ignored) entry.bytes += static_cast<std::int64_t>(size);
  }
  entry.made = fs::last_write_time(folder, failed);
  for (const fs::path& part : entry.parts) {
    entry.made = std::min(entry.made, fs::last_write_time(part, failed));
  }
  entry.used = fs::last_write_time(folder / stage_lock_name, failed);
  if (failed) entry.used = entry.made;
  return entry;
}

[[noreturn]] void no_such_entry(const std::string& name, std::size_t entries,
                                const fs::path& folder) {
  throw Error({.what = "no cache entry \"" + name + "\"",
               .where = folder.string(),
               .expected = "the beginning of a key, alone or after its stage and a slash",
               .found = std::to_string(entries) + (entries == 1 ? " entry" : " entries"),
               .fix = "espalier cache list shows them"});
}

}  // namespace

std::int64_t CachedStage::samples() const {
  std::int64_t sum = 0;
  for (const fs::path& part : parts) sum += StagePart::count_samples(part);
  return sum;
}

Json CachedStage::about() const try {
  const fs::path file = folder / stage_about_name;
  Json about = parse_json(read_own_file(file, largest_about), file.string());
  const bool fits = about.is_object() && about.contains("inputs") && about.contains("config") &&
                    hex(sha256(canonical_json(about["inputs"]))) == family();
  return fits ? about : Json();
} catch (const Error&) {
  return nullptr;
}

std::vector<CachedStage> StageCache::entries() const {
  std::vector<CachedStage> found;
  for (const fs::path& stage : folders_in(folder_)) {
    for (const fs::path& entry : folders_in(stage)) found.push_back(describe(entry));
  }
  return found;
}

CachedStage StageCache::find(const std::string& name) const {
  const std::vector<CachedStage> all = entries();
  std::vector<const CachedStage*> matching;
  for (const CachedStage& entry : all) {
    const bool matches =
        entry.key.starts_with(name) || (entry.stage + "/" + entry.key).starts_with(name);
    if (matches && !name.empty()) matching.push_back(&entry);
  }
  if (matching.empty()) no_such_entry(name, all.size(), folder_);
  if (matching.size() == 1) return *matching[0];
  std::string list;
  for (const CachedStage* entry : matching) {
    list += (list.empty() ? "" : ", ") + entry->stage + "/" + entry->key.substr(0, 16);
  }
  throw Error({.what = "more than one cache entry begins with \"" + name + "\"",
               .where = folder_.string(),
               .expected = "more of the key",
               .found = list,
               .fix = {}});
}

// By its name first, so that nobody opens an entry that is half gone.
bool StageCache::remove(const CachedStage& entry) const {
  EntryLock lock;
  lock.open(entry.folder);
  if (!lock.own_all()) return false;
  const fs::path gone = entry.folder.parent_path() / (removed_prefix + entry.key);
  std::error_code failed;
  fs::remove_all(gone, failed);
  if (!failed) fs::rename(entry.folder, gone, failed);
  if (!failed) fs::remove_all(gone, failed);
  if (failed) cannot("a cache entry cannot be removed", entry.folder, failed.message());
  return true;
}

void StageCache::remove_leftovers() const {
  for (const fs::path& stage : folders_in(folder_)) {
    std::error_code ignored;
    for (const fs::directory_entry& entry : fs::directory_iterator(stage, ignored)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with(removed_prefix)) fs::remove_all(entry.path(), ignored);
    }
  }
}

std::vector<PartFault> verify(const CachedStage& entry) {
  std::vector<PartFault> faults;
  for (const fs::path& file : entry.parts) {
    auto read = StagePart::open(file);
    auto* fault = std::get_if<StagePart::Fault>(&read);
    std::error_code ignored;
    if (fault != nullptr && fs::exists(file, ignored)) faults.push_back({file, std::move(*fault)});
  }
  return faults;
}

std::vector<fs::path> part_files(const fs::path& entry) {
  std::vector<fs::path> files;
  std::error_code failed;
  for (fs::directory_iterator it(entry, failed), end; !failed && it != end; it.increment(failed)) {
    const bool temporary = it->path().filename().string().starts_with('.');
    if (!temporary && it->path().extension() == ".safetensors") files.push_back(it->path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::int64_t cache_bytes(const fs::path& cache) {
  std::int64_t sum = 0;
  for (const CachedStage& entry : StageCache(cache).entries()) sum += entry.bytes;
  return sum;
}

}  // namespace espalier
