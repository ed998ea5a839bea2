// journal.jsonl: what happened to a trial, one line a record, only ever appended to.
//
// A line is a JSON object whose last member is the CRC-32 of the bytes before it:
//   {"event":"epoch","epoch":3,...,"crc":"1a2b3c4d"}
// Events: start (carries the version of the format), stage, epoch, stopped, complete, failed;
// docs/results.md lists their members. A line is written by one write(2), so that a killed process
// leaves at most a torn last line.
#pragma once

#include <cstdint>
#include <espalier/core/file.hpp>
#include <espalier/core/json.hpp>
#include <filesystem>
#include <optional>
#include <vector>

namespace espalier {

inline constexpr std::int64_t journal_version = 1;

class Journal {
 public:
  // Opens for appending, creates where absent, and ends a torn last line, so that what follows is
  // not lost with it. Throws StorageError when it cannot.
  explicit Journal(const std::filesystem::path& file);
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Throws StorageError when the line cannot be written whole; nothing of it is then there.
  void append(const Json& record);
  // Returns once the record is on the disk.
  void append_durably(const Json& record);

 private:
  std::filesystem::path file_;
  Descriptor open_;
};

struct JournalContent {
  std::vector<Json> records;          // the lines whose checksum holds, in order
  std::vector<std::int64_t> damaged;  // numbers of the other complete lines, from 1
  bool torn = false;                  // the last line has no end
};

// Empty where there is no file. Throws Error when a line says that a newer version wrote it, and
// when the file is no plain one.
[[nodiscard]] JournalContent read_journal(const std::filesystem::path& file);

// The first line and the last, without reading the others. Empty where either is torn, damaged or
// absent.
struct JournalEnds {
  Json first;
  Json last;
};
[[nodiscard]] std::optional<JournalEnds> journal_ends(const std::filesystem::path& file);

}  // namespace espalier
