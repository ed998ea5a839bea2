// The captions that were written so far, kept through any end.
#pragma once

#include <cstddef>
#include <espalier/caption/caption_set.hpp>
#include <espalier/core/descriptor.hpp>
#include <filesystem>
#include <map>
#include <string>

namespace espalier {

// A file `<set>.part`: the header of a set, then a line an answer as it comes; of several for one
// picture the last counts. Whoever holds it, holds it alone. A line that is torn, as a dead machine
// leaves it, costs that caption.
class CaptionJournal {
 public:
  // Goes on with what is there. Throws Error where another process has it, or where it is of
  // captions `about` something else; StorageError where it cannot be written.
  CaptionJournal(std::filesystem::path file, const Json& about);

  // By id, as they are in the file.
  [[nodiscard]] const std::map<std::string, CaptionRecord>& records() const noexcept {
    return records_;
  }
  // In one write; synced every hundred. Throws StorageError, and what was there before stays.
  void add(const CaptionRecord& record);
  void sync();
  // Takes the file away.
  void remove();

 private:
  void begin(const Json& about);
  void append(const std::string& line);

  std::filesystem::path file_;
  Descriptor open_;
  std::map<std::string, CaptionRecord> records_;
  std::size_t unsynced_ = 0;
};

// What such a file holds, and how many bytes of it are whole lines; lines that are no captions are
// passed over. Throws Error where the first line is whole and no header; `text` may be empty.
struct JournalText {
  Json about;  // null where there is no header
  std::map<std::string, CaptionRecord> records;
  std::size_t whole = 0;
};
[[nodiscard]] JournalText read_journal(std::string_view text, const std::string& origin);

// Throws Error that names the first difference.
void require_same_request(const Json& found, const Json& wanted, const std::string& file);

}  // namespace espalier
