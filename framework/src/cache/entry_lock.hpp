// The locks of an entry of the cache: bytes of its file `lock`, which the kernel frees when their
// process ends, so that nothing that was killed holds up the others.
//
//   byte 0    shared by all who add to the entry; whoever has all bytes alone may remove it
//   byte 1    held while a part is stored
//   others    samples that are being computed, each at a place that follows from its id
#pragma once

#include <cstdint>
#include <espalier/core/descriptor.hpp>
#include <filesystem>
#include <string_view>

namespace espalier {

inline constexpr std::string_view stage_lock_name = "lock";

// Locks belong to this object, not to the process. Not thread-safe.
class EntryLock {
 public:
  // Opens the file of an entry, and makes it where it is not there. Throws StorageError where that
  // fails.
  void open(const std::filesystem::path& entry);
  [[nodiscard]] bool is_open() const noexcept { return file_.get() >= 0; }
  // Whether the file is still the one of that name: the entry may have been removed.
  [[nodiscard]] bool is_of(const std::filesystem::path& entry) const;
  void close() { file_.close(); }

  // False where somebody else is in the way; none of these waits but store(). Throw
  // std::system_error where there are no such locks.
  [[nodiscard]] bool share();    // byte 0, together with others
  [[nodiscard]] bool own_all();  // all bytes, alone; share() goes back
  [[nodiscard]] bool claim(std::string_view id);
  void release(std::string_view id);
  void begin_storing();
  void end_storing();

 private:
  [[nodiscard]] bool set(short type, std::int64_t from, std::int64_t length, bool wait = false);

  Descriptor file_;
};

}  // namespace espalier
