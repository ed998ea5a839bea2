#include <espalier/core/content.hpp>

#include <dirent.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier {
namespace {

using FolderId = std::pair<dev_t, ino_t>;

constexpr std::string_view cache_header = "espalier content cache 1\n";
constexpr std::size_t most_files = 5'000'000;
constexpr std::size_t most_cache_bytes = std::size_t{2} << 30;

[[noreturn]] void fail(std::string what, const std::string& path, std::string found = {},
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
    fail("a symbolic link leads nowhere", path, std::strerror(error),
         "remove it or put back what it names");
  }
  fail("cannot read a path", path, std::strerror(error), "check that it exists and may be read");
}

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// All files below a folder, as names relative to it.
class Walk {
 public:
  explicit Walk(std::string root) : root_(std::move(root)) { enter(""); }

  std::vector<std::string> take() {
    std::sort(names_.begin(), names_.end());
    return std::move(names_);
  }

 private:
  void enter(const std::string& below) {
    const std::string folder = root_ + "/" + below;
    const struct stat status = status_of(folder);
    const FolderId id(status.st_dev, status.st_ino);
    if (std::find(open_.begin(), open_.end(), id) != open_.end()) {
      fail("a folder contains itself through a symbolic link", folder, {}, "remove the link");
    }
    open_.push_back(id);
    for (const std::string& name : children(folder)) visit(below + name);
    open_.pop_back();
  }

  static std::vector<std::string> children(const std::string& folder) {
    const std::unique_ptr<DIR, int (*)(DIR*)> stream(::opendir(folder.c_str()), ::closedir);
    if (!stream) fail("cannot read a folder", folder, std::strerror(errno));
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(stream.get())) {
      if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    }
    return names;
  }

  void visit(const std::string& name) {
    const mode_t mode = status_of(root_ + "/" + name).st_mode;
    if (S_ISDIR(mode)) return enter(name + "/");
    if (!S_ISREG(mode)) fail("neither a file nor a folder", root_ + "/" + name);
    if (names_.size() == most_files) fail("a folder has more than 5,000,000 files", root_);
    names_.push_back(name);
  }

  std::string root_;
  std::vector<std::string> names_;
  std::vector<FolderId> open_;
};

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

Digest ContentHasher::digest(const std::filesystem::path& path) {
  if (!std::exchange(loaded_, true)) load();
  const std::string absolute = std::filesystem::absolute(path).lexically_normal().string();
  return S_ISDIR(status_of(absolute).st_mode) ? folder_digest(absolute) : file_digest(absolute);
}

Digest ContentHasher::folder_digest(const std::filesystem::path& folder) {
  const std::vector<std::string> names = Walk(folder.string()).take();
  Sha256 hash;
  std::int64_t done = 0;
  for (const std::string& name : names) {
    hash.update(name);
    hash.update(std::string_view("\0", 1));
    hash.update(hex(file_digest((folder / name).string())));
    hash.update("\n");
    if (progress_) progress_(++done, static_cast<std::int64_t>(names.size()));
  }
  return hash.finish();
}

Digest ContentHasher::file_digest(const std::string& path) {
  const struct stat status = status_of(path);
  if (!S_ISREG(status.st_mode)) fail("neither a file nor a folder", path);
  Entry entry{.digest = {},
              .size = status.st_size,
              .modified = nanoseconds(status.st_mtim),
              .changed = nanoseconds(status.st_ctim),
              .inode = status.st_ino};
  const auto known = entries_.find(path);
  if (known != entries_.end() && known->second.size == entry.size &&
      known->second.modified == entry.modified && known->second.changed == entry.changed &&
      known->second.inode == entry.inode) {
    return known->second.digest;
  }
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  entry.digest = sha256_file(path);
  if (std::chrono::nanoseconds(std::max(entry.modified, entry.changed)) + settle_ <= now) {
    entries_[path] = entry;
    learnt_ = true;
  }
  return entry.digest;
}

// One line a file: digest, size, modified, changed, inode, path. What cannot be read is forgotten.
void ContentHasher::load() try {
  if (cache_.empty() || !std::filesystem::exists(cache_)) return;
  const std::string text = read_file(cache_, most_cache_bytes);
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
