#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <espalier/core/failure.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/lfs_pointer.hpp>

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr int storage_failures[] = {ENOSPC, EDQUOT, EROFS, EIO, EFBIG, ESTALE, ENODEV, ENXIO};

Problem problem_of(std::string what, const fs::path& file, std::string found, std::string fix) {
  return {.what = std::move(what),
          .where = file.string(),
          .expected = {},
          .found = std::move(found),
          .fix = std::move(fix)};
}

[[noreturn]] void cannot_read(const fs::path& file, int error) {
  throw Error(problem_of("cannot read a file", file, system_error(error), {}));
}

[[noreturn]] void cannot_write(const fs::path& file, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  throw StorageError(
      problem_of("cannot write a file", file, system_error(error),
                 full ? "make room on the disk; the same command then goes on" : ""));
}

std::string kind_of(mode_t mode) {
  if (S_ISLNK(mode)) return "a symbolic link";
  if (S_ISDIR(mode)) return "a folder";
  if (S_ISFIFO(mode)) return "a pipe";
  if (S_ISSOCK(mode)) return "a socket";
  return "a device";
}

Problem in_its_place(const fs::path& file, mode_t mode) {
  return problem_of("something else is in the place of a file", file, kind_of(mode),
                    "move it away; Espalier writes to plain files of its own alone");
}

bool writes(int flags) { return (flags & O_ACCMODE) != O_RDONLY; }

[[noreturn]] void refuse(const fs::path& file, mode_t mode, int flags) {
  if (writes(flags)) throw StorageError(in_its_place(file, mode));
  throw Error(in_its_place(file, mode));
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

// What one read(2) gives, empty at the end.
std::string_view read_some(int fd, std::span<char> buffer, const fs::path& file) {
  ssize_t got = 0;
  do {
    got = ::read(fd, buffer.data(), buffer.size());
  } while (got < 0 && errno == EINTR);
  if (got < 0) cannot_read(file, errno);
  return {buffer.data(), static_cast<std::size_t>(got)};
}

std::string read_all(const Descriptor& descriptor, const fs::path& file, std::size_t limit) {
  std::string bytes;
  struct stat status {};
  if (::fstat(descriptor.get(), &status) == 0 && status.st_size > 0) {
    bytes.reserve(std::min(limit, static_cast<std::size_t>(status.st_size)));
  }
  char buffer[1 << 16];
  while (bytes.size() <= limit) {
    const std::string_view some = read_some(descriptor.get(), buffer, file);
    if (some.empty()) return bytes;
    bytes += some;
  }
  throw Error(
      problem_of("a file is too large", file, "more than " + std::to_string(limit) + " bytes", {}));
}

void sync_folder(const fs::path& folder) {
  const Descriptor descriptor(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (descriptor) ::fsync(descriptor.get());
}

// A file that gets its name when it is complete; it is gone where it is not.
class NewFile {
 public:
  explicit NewFile(const fs::path& file) : file_(file), temporary_(temporary_name(file)) {
    struct stat status {};
    if (::lstat(file.c_str(), &status) == 0 && !S_ISREG(status.st_mode)) {
      throw StorageError(in_its_place(file, status.st_mode));
    }
    descriptor_ =
        Descriptor(::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666));
    if (!descriptor_) cannot_write(file_, errno);
  }
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;
  ~NewFile() {
    if (!named_) ::unlink(temporary_.c_str());
  }

  void add(std::string_view bytes) {
    if (!write_all(descriptor_.get(), bytes)) cannot_write(file_, errno);
  }

  void name() {
    if (::fsync(descriptor_.get()) != 0) cannot_write(file_, errno);
    descriptor_.close();
    if (::rename(temporary_.c_str(), file_.c_str()) != 0) cannot_write(file_, errno);
    named_ = true;
    sync_folder(file_.has_parent_path() ? file_.parent_path() : ".");
  }

 private:
  static fs::path temporary_name(const fs::path& file) {
    static std::atomic<unsigned> count{0};
    return file.parent_path() / ("." + file.filename().string() + "." + std::to_string(::getpid()) +
                                 "." + std::to_string(count++) + ".tmp");
  }

  const fs::path file_;
  const fs::path temporary_;
  Descriptor descriptor_;
  bool named_ = false;
};

}  // namespace

bool is_storage_failure(const std::error_code& code) {
  const bool of_system =
      code.category() == std::system_category() || code.category() == std::generic_category();
  return of_system && std::find(std::begin(storage_failures), std::end(storage_failures),
                                code.value()) != std::end(storage_failures);
}

Descriptor open_input(const fs::path& file) {
  // Without O_NONBLOCK opening a pipe would wait for its writer.
  Descriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  struct stat status {};
  if (!descriptor || ::fstat(descriptor.get(), &status) != 0) cannot_read(file, errno);
  if (!S_ISREG(status.st_mode)) {
    throw Error(problem_of("not a regular file", file, kind_of(status.st_mode), {}));
  }
  return descriptor;
}

std::string read_file(const fs::path& file, std::size_t limit) {
  std::string bytes = read_all(open_input(file), file, limit);
  refuse_lfs_pointer(file, bytes);
  return bytes;
}

Descriptor open_own_file(const fs::path& file, int flags) {
  constexpr int careful = O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  Descriptor descriptor(::open(file.c_str(), flags | careful, 0666));
  const int error = errno;
  struct stat status {};
  const bool open{descriptor};
  const bool known =
      (open ? ::fstat(descriptor.get(), &status) : ::lstat(file.c_str(), &status)) == 0;
  if (known && !S_ISREG(status.st_mode)) refuse(file, status.st_mode, flags);
  if (open) return descriptor;
  if (writes(flags)) cannot_write(file, error);
  cannot_read(file, error);
}

std::string read_own_file(const fs::path& file, std::size_t limit) {
  return read_all(open_own_file(file, O_RDONLY), file, limit);
}

void require_own_file(const fs::path& file) { (void)open_own_file(file, O_RDONLY); }

bool is_there(const fs::path& file) {
  struct stat status {};
  return ::lstat(file.c_str(), &status) == 0;
}

void write_file(const fs::path& file, std::string_view bytes) {
  write_file(file, std::span(&bytes, 1));
}

void write_file(const fs::path& file, std::span<const std::string_view> pieces) {
  NewFile fresh(file);
  for (const std::string_view piece : pieces) fresh.add(piece);
  fresh.name();
}

void copy_own_file(const fs::path& from, const fs::path& to) {
  const Descriptor source = open_own_file(from, O_RDONLY);
  NewFile fresh(to);
  char buffer[1 << 16];
  for (;;) {
    const std::string_view some = read_some(source.get(), buffer, from);
    if (some.empty()) return fresh.name();
    fresh.add(some);
  }
}

bool append_whole(int fd, std::string_view bytes) {
  const off_t before = ::lseek(fd, 0, SEEK_END);
  if (write_all(fd, bytes)) return true;
  const int error = errno;
  [[maybe_unused]] const int restored = before < 0 ? -1 : ::ftruncate(fd, before);
  errno = error;
  return false;
}

}  // namespace espalier
