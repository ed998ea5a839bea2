#include "run/run_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <espalier/core/error.hpp>
#include <espalier/core/json.hpp>
#include <string>
#include <thread>

namespace espalier {
namespace {

constexpr int first_descriptor = 10;  // above those that a worker's own streams are put on
constexpr auto patience = std::chrono::seconds(5);

std::string host_name() {
  char name[256] = {};
  ::gethostname(name, sizeof name - 1);
  return name;
}

[[noreturn]] void cannot_open(const std::filesystem::path& folder, int error) {
  throw Error({.what = "cannot write to the results folder",
               .where = folder.string(),
               .expected = "a folder that you may write to",
               .found = std::strerror(error),
               .fix = "choose another with --results DIR"});
}

int open_lock(const std::filesystem::path& folder) {
  const int fd = ::open((folder / ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0) cannot_open(folder, errno);
  const int high = ::fcntl(fd, F_DUPFD_CLOEXEC, first_descriptor);
  const int error = errno;
  ::close(fd);
  if (high < 0) cannot_open(folder, error);
  return high;
}

Json owner(int fd) {
  char text[512];
  const ssize_t got = ::pread(fd, text, sizeof text, 0);
  return Json::parse(text, text + std::max<ssize_t>(0, got), nullptr, false);
}

// Whoever has the lock will soon let it go: a look at it takes no time, and workers whose host is
// gone end at once. A process of another machine counts as alive.
bool passing(const Json& owner) {
  if (!owner.is_object()) return true;
  if (owner.value("host", "") != host_name()) return false;
  const auto pid = owner.value("pid", pid_t{0});
  return pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH;
}

[[noreturn]] void in_use(const std::filesystem::path& folder, const Json& owner) {
  const std::string who = owner.is_object() ? "process " + std::to_string(owner.value("pid", 0)) +
                                                  " on " + owner.value("host", "?")
                                            : "another process";
  throw Error({.what = "the results folder is in use by another run",
               .where = folder.string(),
               .expected = {},
               .found = who,
               .fix = "wait for it to end (espalier status shows it), or stop it"});
}

}  // namespace

RunLock::RunLock(const std::filesystem::path& folder) : fd_(open_lock(folder)) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    const Json holder = owner(fd_);
    if (!passing(holder) || std::chrono::steady_clock::now() > end) {
      ::close(fd_);
      in_use(folder, holder);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const std::string me = Json{{"host", host_name()}, {"pid", ::getpid()}}.dump() + "\n";
  if (::ftruncate(fd_, 0) != 0 || ::pwrite(fd_, me.data(), me.size(), 0) < 0) {
    const int error = errno;
    ::close(fd_);
    cannot_open(folder, error);
  }
}

RunLock::~RunLock() { ::close(fd_); }

bool RunLock::held(const std::filesystem::path& folder) {
  const int fd = ::open((folder / ".lock").c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const bool free = ::flock(fd, LOCK_SH | LOCK_NB) == 0;
  ::close(fd);
  return !free;
}

}  // namespace espalier
