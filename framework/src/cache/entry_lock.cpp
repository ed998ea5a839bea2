#include "cache/entry_lock.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <espalier/core/file.hpp>
#include <espalier/core/hash.hpp>
#include <system_error>

namespace espalier {
namespace {

constexpr std::int64_t sharing = 0, storing = 1, first_sample = 2;
constexpr std::int64_t places = std::int64_t{1} << 62;

// Two ids of one place are claimed together: they wait for each other, no more.
std::int64_t place_of(std::string_view id) {
  const auto digest = sha256(id);
  std::uint64_t number = 0;
  std::memcpy(&number, digest.data(), sizeof number);
  return first_sample + static_cast<std::int64_t>(number % static_cast<std::uint64_t>(places));
}

}  // namespace

void EntryLock::open(const std::filesystem::path& entry) {
  file_ = open_own_file(entry / stage_lock_name, O_CREAT | O_RDWR);
}

bool EntryLock::is_of(const std::filesystem::path& entry) const {
  struct stat mine {};
  struct stat there {};
  return ::fstat(file_.get(), &mine) == 0 &&
         ::stat((entry / stage_lock_name).c_str(), &there) == 0 && mine.st_dev == there.st_dev &&
         mine.st_ino == there.st_ino;
}

bool EntryLock::set(short type, std::int64_t from, std::int64_t length, bool wait) {
  struct flock lock {};
  lock.l_type = type;
  lock.l_whence = SEEK_SET;
  lock.l_start = from;
  lock.l_len = length;  // 0: to the end
  int result = 0;
  do {
    result = ::fcntl(file_.get(), wait ? F_OFD_SETLKW : F_OFD_SETLK, &lock);
  } while (result != 0 && errno == EINTR);
  if (result == 0) return true;
  if (errno == EAGAIN || errno == EACCES) return false;
  throw std::system_error(errno, std::generic_category());
}

bool EntryLock::share() { return set(F_RDLCK, sharing, 1) && set(F_UNLCK, storing, 0); }
bool EntryLock::own_all() { return set(F_WRLCK, sharing, 0); }
bool EntryLock::claim(std::string_view id) { return set(F_WRLCK, place_of(id), 1); }
void EntryLock::release(std::string_view id) { static_cast<void>(set(F_UNLCK, place_of(id), 1)); }
void EntryLock::begin_storing() { static_cast<void>(set(F_WRLCK, storing, 1, true)); }
void EntryLock::end_storing() {
  if (!is_open()) return;  // closed meanwhile, which frees it
  static_cast<void>(set(F_UNLCK, storing, 1));
}

}  // namespace espalier
