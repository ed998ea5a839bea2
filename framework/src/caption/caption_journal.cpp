#include "caption/caption_journal.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <espalier/core/error.hpp>
#include <espalier/core/failure.hpp>
#include <espalier/core/file.hpp>
#include <optional>
#include <utility>

namespace espalier {
namespace {

constexpr std::size_t largest_journal = std::size_t{1} << 30;
constexpr std::size_t lines_a_sync = 100;

[[noreturn]] void cannot_add(const std::filesystem::path& file, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  throw StorageError({.what = "a caption cannot be stored",
                      .where = file.string(),
                      .expected = {},
                      .found = system_error(error),
                      .fix = full ? "make room on the disk; the same command then goes on" : ""});
}

// The keys whose values differ, `captioner.model: "a", now "b"`.
std::string first_difference(const Json& found, const Json& wanted, const std::string& at) {
  if (!found.is_object() || !wanted.is_object())
    return at + ": " + found.dump() + ", now " + wanted.dump();
  Json all = found;
  all.update(wanted);
  for (const auto& [key, ignored] : all.items()) {
    const Json was = found.value(key, Json()), is = wanted.value(key, Json());
    if (was != is) return first_difference(was, is, at.empty() ? key : at + "." + key);
  }
  return {};
}

// Empty where a line is none.
std::optional<CaptionRecord> record_in(std::string_view line) try {
  Problems problems;
  CaptionRecord record = record_from(parse_json(line, "line"), "line", problems);
  if (!problems.empty() || !record_fault(record).empty()) return std::nullopt;
  return record;
} catch (const Error&) {
  return std::nullopt;
}

}  // namespace

void require_same_request(const Json& found, const Json& wanted, const std::string& file) {
  const Json was = found.value("captioner", Json()), is = wanted.value("captioner", Json());
  if (was == is) return;
  throw Error({.what = "the file holds captions that were asked for in another way",
               .where = file,
               .expected = {},
               .found = first_difference(was, is, "captioner"),
               .fix = "name another file with --out, or move this one away"});
}

JournalText read_journal(std::string_view text, const std::string& origin) {
  JournalText journal;
  for (;;) {
    const std::size_t end = text.find('\n', journal.whole);
    if (end == text.npos) return journal;
    const std::string_view line = text.substr(journal.whole, end - journal.whole);
    if (journal.whole == 0) {
      journal.about = CaptionSet::parse(line, origin).about();
    } else if (std::optional<CaptionRecord> record = record_in(line)) {
      std::string id = record->id;
      journal.records.insert_or_assign(std::move(id), *std::move(record));
    }
    journal.whole = end + 1;
  }
}

CaptionJournal::CaptionJournal(std::filesystem::path file, const Json& about)
    : file_(std::move(file)), open_(open_own_file(file_, O_RDWR | O_CREAT | O_APPEND)) {
  if (::flock(open_.get(), LOCK_EX | LOCK_NB) != 0) {
    throw Error({.what = "another process is writing these captions",
                 .where = file_.string(),
                 .expected = {},
                 .found = {},
                 .fix = "wait for its end; `captions write` may write another file with --out"});
  }
  begin(about);
}

void CaptionJournal::begin(const Json& about) {
  JournalText journal = read_journal(read_own_file(file_, largest_journal), file_.string());
  if (::ftruncate(open_.get(), static_cast<off_t>(journal.whole)) != 0) cannot_add(file_, errno);
  if (journal.about.is_null()) {
    append(CaptionSet(about, {}, file_.string()).text());
  } else {
    require_same_request(journal.about, about, file_.string());
  }
  records_ = std::move(journal.records);
}

void CaptionJournal::append(const std::string& line) {
  if (!append_whole(open_.get(), line)) cannot_add(file_, errno);
}

void CaptionJournal::add(const CaptionRecord& record) {
  append(to_json(record).dump() + "\n");
  records_.insert_or_assign(record.id, record);
  if (++unsynced_ >= lines_a_sync) sync();
}

void CaptionJournal::sync() {
  if (::fsync(open_.get()) != 0) cannot_add(file_, errno);
  unsynced_ = 0;
}

void CaptionJournal::remove() {
  std::error_code ignored;
  std::filesystem::remove(file_, ignored);
}

}  // namespace espalier
