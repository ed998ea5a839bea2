#include <espalier/train/stage_cache.hpp>

#include <fcntl.h>
#include <spdlog/logger.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <espalier/core/error.hpp>
#include <espalier/core/hash.hpp>
#include <set>
#include <thread>

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr const char* index_name = "sample";
constexpr const char* checksum_name = "sha256";

std::string_view bytes_of(const TensorView& tensor) {
  return {reinterpret_cast<const char*>(tensor.data), tensor.bytes};
}

// Over names and bytes, in the order of names.
std::string checksum(std::vector<TensorView> tensors) {
  std::sort(tensors.begin(), tensors.end(),
            [](const TensorView& a, const TensorView& b) { return a.name < b.name; });
  Sha256 hash;
  for (const TensorView& tensor : tensors) {
    hash.update(tensor.name);
    hash.update(bytes_of(tensor));
  }
  return hex(hash.finish());
}

std::vector<std::int64_t> samples_of(const SafeTensors& part) {
  const TensorView& view = part.at(index_name);
  std::vector<std::int64_t> samples(view.bytes / sizeof(std::int64_t));
  if (!samples.empty()) std::memcpy(samples.data(), view.data, view.bytes);
  return samples;
}

bool intact(const SafeTensors& part) {
  const auto stored = part.metadata().find(checksum_name);
  const TensorView* index = part.find(index_name);
  if (stored == part.metadata().end() || index == nullptr || index->dtype != DType::i64) {
    return false;
  }
  return stored->second == checksum(part.tensors());
}

[[noreturn]] void system_failure(const std::string& what, const fs::path& where) {
  throw Error({.what = what,
               .where = where.string(),
               .expected = {},
               .found = std::strerror(errno),
               .fix = "check permissions and free space, or choose another results folder"});
}

}  // namespace

StageEntry::StageEntry(const fs::path& cache, std::string_view stage, std::string_view key,
                       spdlog::logger& log)
    : folder_(cache / stage / key), log_(log) {
  std::error_code error;
  fs::create_directories(folder_, error);
  if (error) {
    errno = error.value();
    system_failure("the cache folder cannot be made", folder_);
  }
  read_parts();
}

bool StageEntry::take(const fs::path& file) {
  try {
    auto part = std::make_unique<SafeTensors>(SafeTensors::open(file));
    if (!intact(*part)) return false;
    std::size_t row = 0;
    for (const std::int64_t sample : samples_of(*part)) {
      places_.try_emplace(static_cast<std::size_t>(sample), Place{part.get(), row++});
    }
    parts_.emplace(file, std::move(part));
    return true;
  } catch (const Error&) {
    return false;
  }
}

void StageEntry::read_parts() {
  std::set<fs::path> files;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
    if (entry.path().extension() == ".safetensors") files.insert(entry.path());
  }
  for (const fs::path& file : files) {
    if (parts_.contains(file) || take(file)) continue;
    log_.warn("cache entry {} is damaged and will be made again", file.string());
    std::error_code ignored;
    fs::remove(file, ignored);
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

void StageEntry::add(std::span<const std::size_t> samples, std::span<const TensorView> tensors) {
  const std::vector<std::int64_t> index(samples.begin(), samples.end());
  std::vector<TensorView> all(tensors.begin(), tensors.end());
  all.push_back({.name = index_name,
                 .dtype = DType::i64,
                 .shape = {static_cast<std::int64_t>(index.size())},
                 .data = reinterpret_cast<const std::byte*>(index.data()),
                 .bytes = index.size() * sizeof(std::int64_t)});
  std::size_t number = parts_.size();
  const auto name = [&] { return folder_ / ("part-" + std::to_string(number) + ".safetensors"); };
  while (fs::exists(name())) ++number;
  write_safetensors(name(), all, {{checksum_name, checksum(all)}});
  if (!take(name())) system_failure("a cache entry cannot be read back", name());
}

StageEntry::Place StageEntry::find(std::size_t sample) const { return places_.at(sample); }

StageEntry::Lock::Lock(StageEntry& entry, const std::function<bool()>& waiting)
    : descriptor_(open((entry.folder_ / "lock").c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644)) {
  if (descriptor_ < 0) system_failure("the cache entry cannot be locked", entry.folder_);
  while (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    if (errno != EWOULDBLOCK && errno != EINTR) {
      close(descriptor_);
      system_failure("the cache entry cannot be locked", entry.folder_);
    }
    if (!waiting()) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  held_ = true;
  entry.read_parts();
}

StageEntry::Lock::~Lock() { close(descriptor_); }

}  // namespace espalier
