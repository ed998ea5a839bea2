#include <espalier/core/content.hpp>

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/folder_walk.hpp>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier {
namespace {

constexpr std::string_view cache_header = "espalier content cache 1\n";
constexpr std::size_t most_cache_bytes = std::size_t{2} << 30;

[[noreturn]] void refuse_path(std::string what, const std::string& path, std::string found = {},
                              std::string fix = {}) {
  throw Error({.what = std::move(what),
               .where = path,
               .expected = {},
               .found = std::move(found),
               .fix = std::move(fix)});
}

struct stat status_of(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) == 0) return status;
  const int error = errno;
  if (::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode)) {
    refuse_path("a symbolic link leads nowhere", path, std::strerror(error),
                "remove it or put back what it names");
  }
  refuse_path("cannot read a path", path, std::strerror(error),
              "check that it exists and may be read");
}

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

std::vector<FoundFile> files_of(const std::string& folder, ContentScope scope) {
  std::optional<std::vector<FoundFile>> files = files_in(folder);
  if (!files) refuse_path("cannot read a folder", folder, std::strerror(errno));
  if (scope == ContentScope::class_folders) keep_class_folders(*files);
  return std::move(*files);
}

std::string absolute_name(const std::filesystem::path& path) {
  return std::filesystem::absolute(path).lexically_normal().string();
}

// FNV-1a of bytes, on top of `hash`.
std::uint64_t mixed(std::uint64_t hash, const void* data, std::size_t size) {
  const auto* bytes = static_cast<const unsigned char*>(data);
  for (std::size_t i = 0; i < size; ++i) hash = (hash ^ bytes[i]) * 0x100000001b3u;
  return hash;
}

template <class Entry>
Entry entry_of(const struct stat& status) {
  return {.digest = {},
          .size = status.st_size,
          .modified = nanoseconds(status.st_mtim),
          .changed = nanoseconds(status.st_ctim),
          .inode = status.st_ino};
}

template <class Number>
bool take_number(std::string_view& line, Number& value) {
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error != std::errc() || end == line.data() + line.size() || *end != ' ') return false;
  line.remove_prefix(static_cast<std::size_t>(end - line.data()) + 1);
  return true;
}

bool take_digest(std::string_view& line, Digest& digest) {
  if (line.size() < 65 || line[64] != ' ') return false;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const char* begin = line.data() + 2 * i;
    if (std::from_chars(begin, begin + 2, digest[i], 16).ptr != begin + 2) return false;
  }
  line.remove_prefix(65);
  return true;
}

}  // namespace

ContentHasher::ContentHasher(std::filesystem::path cache, Progress progress,
                             std::chrono::nanoseconds settle)
    : cache_(std::move(cache)), progress_(std::move(progress)), settle_(settle) {}

bool ContentHasher::Entry::same_file(const Entry& other) const {
  return size == other.size && modified == other.modified && changed == other.changed &&
         inode == other.inode;
}

// Marks of files are added up, so that their order does not matter.
std::uint64_t ContentHasher::Entry::mark(std::string_view name) const {
  const std::int64_t facts[] = {size, modified, changed, static_cast<std::int64_t>(inode)};
  return mixed(mixed(0xcbf29ce484222325u, name.data(), name.size()), facts, sizeof facts);
}

ContentHasher::Entry ContentHasher::Entry::of(const FoundFile& file) {
  return file.status ? entry_of<Entry>(*file.status) : Entry{};
}

std::uint64_t content_mark(const std::filesystem::path& path, ContentScope scope) {
  using Entry = ContentHasher::Entry;
  const std::string root = absolute_name(path);
  const struct stat status = status_of(root);
  if (!S_ISDIR(status.st_mode)) return entry_of<Entry>(status).mark("");
  std::uint64_t mark = 0;
  for (const FoundFile& file : files_of(root, scope)) mark += Entry::of(file).mark(file.name);
  return mark;
}

HashedContent ContentHasher::content(const std::filesystem::path& path, ContentScope scope) {
  if (!std::exchange(loaded_, true)) load();
  const std::string name = absolute_name(path);
  HashedContent content{.scope = scope};
  if (S_ISDIR(status_of(name).st_mode)) {
    content = folder_content(name, scope);
  } else {
    const Entry entry = file_entry(name);
    content.digest = entry.digest;
    content.mark = entry.mark("");
  }
  return known_[{name, scope}] = content;
}

std::optional<HashedContent> ContentHasher::known(const std::filesystem::path& path,
                                                  ContentScope scope) const {
  const auto found = known_.find({absolute_name(path), scope});
  return found == known_.end() ? std::nullopt : std::optional(found->second);
}

HashedContent ContentHasher::folder_content(const std::string& folder, ContentScope scope) {
  const std::vector<FoundFile> files = files_of(folder, scope);
  Sha256 hash;
  HashedContent content{.scope = scope};
  std::int64_t done = 0;
  for (const FoundFile& file : files) {
    const Entry entry = file.status ? file_entry(folder + "/" + file.name) : Entry{};
    hash.update(file.name);
    hash.update(std::string_view("\0", 1));
    hash.update(file.status ? hex(entry.digest) : file.same_as.empty() ? "-" : "=" + file.same_as);
    hash.update("\n");
    content.mark += entry.mark(file.name);
    if (progress_) progress_(++done, static_cast<std::int64_t>(files.size()));
  }
  content.digest = hash.finish();
  return content;
}

ContentHasher::Entry ContentHasher::file_entry(const std::string& path) {
  const struct stat status = status_of(path);
  if (!S_ISREG(status.st_mode)) refuse_path("neither a file nor a folder", path);
  Entry entry = entry_of<Entry>(status);
  const auto known = entries_.find(path);
  if (known != entries_.end() && known->second.same_file(entry)) return known->second;
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  entry.digest = sha256_file(path);
  if (!entry_of<Entry>(status_of(path)).same_file(entry)) {
    refuse_path("a file changed while it was read", path, {},
                "wait until it is whole, then run again");
  }
  if (std::chrono::nanoseconds(std::max(entry.modified, entry.changed)) + settle_ <= now) {
    entries_[path] = entry;
    learnt_ = true;
  }
  return entry;
}

// One line a file: digest, size, modified, changed, inode, path. What cannot be read is forgotten.
void ContentHasher::load() try {
  if (cache_.empty() || !std::filesystem::exists(cache_)) return;
  const std::string text = read_own_file(cache_, most_cache_bytes);
  std::string_view rest = text;
  if (rest.substr(0, cache_header.size()) != cache_header) return;
  rest.remove_prefix(cache_header.size());
  for (std::size_t end = rest.find('\n'); end != std::string_view::npos; end = rest.find('\n')) {
    std::string_view line = rest.substr(0, end);
    rest.remove_prefix(end + 1);
    Entry entry;
    if (take_digest(line, entry.digest) && take_number(line, entry.size) &&
        take_number(line, entry.modified) && take_number(line, entry.changed) &&
        take_number(line, entry.inode)) {
      entries_.emplace(line, entry);
    }
  }
} catch (const Error&) {
  entries_.clear();
}

bool ContentHasher::save() try {
  if (cache_.empty() || !learnt_) return true;
  std::string text(cache_header);
  for (const auto& [path, entry] : entries_) {
    if (path.find('\n') != std::string::npos) continue;
    text += hex(entry.digest);
    for (const std::int64_t number : {entry.size, entry.modified, entry.changed}) {
      text += " " + std::to_string(number);
    }
    text += " " + std::to_string(entry.inode) + " " + path + "\n";
  }
  std::filesystem::create_directories(cache_.parent_path());
  write_file(cache_, text);
  learnt_ = false;
  return true;
} catch (const std::exception&) {
  return false;
}

}  // namespace espalier
