#include <espalier/core/content.hpp>

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/left_out.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier {
namespace {

using FolderId = std::pair<dev_t, ino_t>;

constexpr std::string_view cache_header = "espalier content cache 1\n";
constexpr std::size_t most_entries = 5'000'000;
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

// Gives the names of all files below a folder, relative to it, in no order, and what is known of
// each. Of what is no file, or a folder that lies in itself or may not be read, nothing is known.
class Walk {
 public:
  using Visit = std::function<void(const std::string& name, const struct stat& status)>;

  Walk(std::string root, const Visit& visit) : root_(std::move(root)), visit_(visit) {
    open_above();
    if (!enter("")) refuse_path("cannot read a folder", root_, std::strerror(errno));
  }

 private:
  // A link to a folder above the root leads in a circle too.
  void open_above() {
    for (std::filesystem::path above = root_; above.has_relative_path();) {
      above = above.parent_path();
      struct stat status {};
      if (::stat(above.c_str(), &status) == 0) open_.emplace_back(status.st_dev, status.st_ino);
    }
  }

  bool enter(const std::string& below) {
    const std::string folder = root_ + "/" + below;
    const struct stat status = status_of(folder);
    const FolderId id(status.st_dev, status.st_ino);
    if (std::find(open_.begin(), open_.end(), id) != open_.end()) return false;
    const auto names = children(folder);
    if (!names) return false;
    open_.push_back(id);
    for (const std::string& name : *names) look(below + name);
    open_.pop_back();
    return true;
  }

  static std::optional<std::vector<std::string>> children(const std::string& folder) {
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(folder.c_str()), ::closedir);
    if (!stream) return std::nullopt;
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(stream.get())) {
      if (!is_left_out(entry->d_name)) names.emplace_back(entry->d_name);
    }
    return names;
  }

  void look(const std::string& name) {
    if (++entries_ > most_entries) refuse_path("a folder has more than 5,000,000 files", root_);
    struct stat status {};
    const bool there = ::stat((root_ + "/" + name).c_str(), &status) == 0;
    if (there && S_ISDIR(status.st_mode) && enter(name + "/")) return;
    visit_(name, there && S_ISREG(status.st_mode) ? status : unknown);
  }

  const std::string root_;
  const Visit& visit_;
  static constexpr struct stat unknown {};
  std::size_t entries_ = 0;
  std::vector<FolderId> open_;
};

// By name, and whether it is a file.
std::vector<std::pair<std::string, bool>> sorted_names(const std::string& folder) {
  std::vector<std::pair<std::string, bool>> names;
  Walk(folder, [&](const std::string& name, const struct stat& status) {
    names.emplace_back(name, S_ISREG(status.st_mode));
  });
  std::sort(names.begin(), names.end());
  return names;
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

std::uint64_t content_mark(const std::filesystem::path& path) {
  const std::string root = absolute_name(path);
  const struct stat status = status_of(root);
  if (!S_ISDIR(status.st_mode)) return entry_of<ContentHasher::Entry>(status).mark("");
  std::uint64_t mark = 0;
  Walk(root, [&](const std::string& name, const struct stat& file) {
    mark += entry_of<ContentHasher::Entry>(file).mark(name);
  });
  return mark;
}

HashedContent ContentHasher::content(const std::filesystem::path& path) {
  if (!std::exchange(loaded_, true)) load();
  const std::string name = absolute_name(path);
  if (S_ISDIR(status_of(name).st_mode)) return known_[name] = folder_content(name);
  const Entry entry = file_entry(name);
  return known_[name] = {entry.digest, entry.mark("")};
}

std::optional<HashedContent> ContentHasher::known(const std::filesystem::path& path) const {
  const auto found = known_.find(absolute_name(path));
  return found == known_.end() ? std::nullopt : std::optional(found->second);
}

HashedContent ContentHasher::folder_content(const std::filesystem::path& folder) {
  const std::vector<std::pair<std::string, bool>> names = sorted_names(folder.string());
  Sha256 hash;
  HashedContent content;
  std::int64_t done = 0;
  for (const auto& [name, is_file] : names) {
    const Entry entry = is_file ? file_entry((folder / name).string()) : Entry{};
    hash.update(name);
    hash.update(std::string_view("\0", 1));
    hash.update(is_file ? hex(entry.digest) : "-");
    hash.update("\n");
    content.mark += entry.mark(name);
    if (progress_) progress_(++done, static_cast<std::int64_t>(names.size()));
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
