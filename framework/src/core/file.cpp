#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <utility>

namespace espalier {
namespace {

[[noreturn]] void fail(const std::string& what, const std::filesystem::path& file,
                       std::string found, std::string fix = {}) {
  throw Error({.what = what,
               .where = file.string(),
               .expected = {},
               .found = std::move(found),
               .fix = std::move(fix)});
}

class Descriptor {
 public:
  Descriptor(const std::filesystem::path& file, int flags)
      : fd_(::open(file.c_str(), flags, 0666)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }

  [[nodiscard]] int get() const noexcept { return fd_; }
  // False when what was written could not be stored.
  [[nodiscard]] bool sync_and_close() {
    const bool synced = ::fsync(fd_) == 0;
    return ::close(std::exchange(fd_, -1)) == 0 && synced;
  }

 private:
  int fd_;
};

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

std::filesystem::path temporary_name(const std::filesystem::path& file) {
  static std::atomic<unsigned> count{0};
  return file.parent_path() / ("." + file.filename().string() + "." + std::to_string(::getpid()) +
                               "." + std::to_string(count++) + ".tmp");
}

[[noreturn]] void abandon(const std::filesystem::path& temporary,
                          const std::filesystem::path& file) {
  const int error = errno;
  ::unlink(temporary.c_str());
  fail("cannot write a file", file, std::strerror(error));
}

void sync_folder(const std::filesystem::path& folder) {
  const Descriptor descriptor(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor.get() >= 0) ::fsync(descriptor.get());
}

}  // namespace

std::string read_file(const std::filesystem::path& file, std::size_t limit) {
  // Without O_NONBLOCK opening a pipe would wait for its writer.
  const Descriptor descriptor(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  struct stat status {};
  if (descriptor.get() < 0 || ::fstat(descriptor.get(), &status) != 0) {
    fail("cannot read a file", file, std::strerror(errno));
  }
  if (!S_ISREG(status.st_mode)) {
    fail("not a regular file", file, S_ISDIR(status.st_mode) ? "a folder" : "a pipe or a device");
  }
  std::string bytes;
  char buffer[1 << 16];
  while (bytes.size() <= limit) {
    const ssize_t got = ::read(descriptor.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail("cannot read a file", file, std::strerror(errno));
    if (got == 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(got));
  }
  fail("a file is too large", file, "more than " + std::to_string(limit) + " bytes");
}

void write_file(const std::filesystem::path& file, std::string_view bytes) {
  write_file(file, std::span(&bytes, 1));
}

void write_file(const std::filesystem::path& file, std::span<const std::string_view> pieces) {
  const std::filesystem::path temporary = temporary_name(file);
  Descriptor descriptor(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC);
  if (descriptor.get() < 0) fail("cannot write a file", file, std::strerror(errno));
  for (const std::string_view piece : pieces) {
    if (!write_all(descriptor.get(), piece)) abandon(temporary, file);
  }
  if (!descriptor.sync_and_close()) abandon(temporary, file);
  if (::rename(temporary.c_str(), file.c_str()) != 0) abandon(temporary, file);
  sync_folder(file.has_parent_path() ? file.parent_path() : ".");
}

}  // namespace espalier
