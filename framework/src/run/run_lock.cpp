#include "run/run_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <espalier/core/error.hpp>
#include <espalier/core/failure.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <espalier/core/process.hpp>
#include <string>
#include <thread>

namespace espalier {
namespace {

constexpr int first_descriptor = 10;  // above those that a worker's own streams are put on
constexpr auto patience = std::chrono::seconds(5);

[[noreturn]] void cannot_lock(const std::filesystem::path& folder, int error) {
  throw StorageError({.what = "cannot write to the results folder",
                      .where = folder.string(),
                      .expected = "a folder that you may write to",
                      .found = system_error(error),
                      .fix = "choose another with --results DIR"});
}

Descriptor open_lock(const std::filesystem::path& folder) {
  const Descriptor low = open_own_file(folder / ".lock", O_RDWR | O_CREAT);
  const int high = ::fcntl(low.get(), F_DUPFD_CLOEXEC, first_descriptor);
  if (high < 0) cannot_lock(folder, errno);
  return Descriptor(high);
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

RunLock::RunLock(const std::filesystem::path& folder) : open_(open_lock(folder)) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (::flock(descriptor(), LOCK_EX | LOCK_NB) != 0) {
    const Json holder = owner(descriptor());
    if (!passing(holder) || std::chrono::steady_clock::now() > end) in_use(folder, holder);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  const std::string me = Json{{"host", host_name()}, {"pid", ::getpid()}}.dump() + "\n";
  if (::ftruncate(descriptor(), 0) != 0 || ::pwrite(descriptor(), me.data(), me.size(), 0) < 0) {
    cannot_lock(folder, errno);
  }
}

bool RunLock::held(const std::filesystem::path& folder) {
  if (!is_there(folder / ".lock")) return false;
  const Descriptor open = open_own_file(folder / ".lock", O_RDONLY);
  return ::flock(open.get(), LOCK_SH | LOCK_NB) != 0;
}

}  // namespace espalier
