#include "results/journal.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <cerrno>
#include <cstdio>
#include <espalier/core/error.hpp>
#include <espalier/core/failure.hpp>
#include <espalier/core/file.hpp>
#include <string>
#include <string_view>

namespace espalier {
namespace {

constexpr std::string_view crc_key = ",\"crc\":\"";
constexpr std::size_t ending_size = crc_key.size() + 8 + 2;  // ,"crc":"1a2b3c4d"}
constexpr std::size_t tail_bytes = 8192;
constexpr std::size_t largest_journal = std::size_t{1} << 30;

std::string checksum(std::string_view bytes) {
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  char text[9];
  std::snprintf(text, sizeof text, "%08x", static_cast<unsigned>(crc.checksum()));
  return text;
}

std::string journal_line(const Json& record) {
  ESPALIER_ASSERT(record.is_object() && !record.empty(), "a record is an object");
  std::string line = record.dump(-1, ' ', false, Json::error_handler_t::replace);
  line.pop_back();
  return line + std::string(crc_key) + checksum(line) + "\"}\n";
}

bool intact(std::string_view line) {
  if (line.size() < ending_size) return false;
  const std::string_view body = line.substr(0, line.size() - ending_size);
  const std::string_view ending = line.substr(body.size());
  return ending.substr(0, crc_key.size()) == crc_key &&
         ending.substr(crc_key.size(), 8) == checksum(body) && ending.ends_with("\"}");
}

Json parsed(std::string_view line) { return Json::parse(line, nullptr, false); }

void refuse_newer(const Json& record, const std::filesystem::path& file) {
  if (!record.is_object()) return;
  const auto it = record.find("journal");
  if (it == record.end() || !it->is_number_integer()) return;
  if (const auto version = it->get<std::int64_t>(); version > journal_version) {
    throw Error({.what = "a newer Espalier wrote this journal",
                 .where = file.string(),
                 .expected = "version " + std::to_string(journal_version),
                 .found = "version " + std::to_string(version),
                 .fix = "use that Espalier, or another results folder with --results DIR"});
  }
}

[[noreturn]] void cannot_append(const std::filesystem::path& file) {
  const int error = errno;
  throw StorageError({.what = "cannot write to a journal",
                      .where = file.string(),
                      .expected = {},
                      .found = system_error(error),
                      .fix = "the same command goes on once the disk takes what is written"});
}

bool ends_torn(int fd) {
  const off_t size = ::lseek(fd, 0, SEEK_END);
  char last = '\n';
  return size > 0 && ::pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

std::string_view first_line(std::string_view head) { return head.substr(0, head.find('\n')); }

// Empty where its beginning is not in `tail`.
std::string_view last_line(std::string_view tail, bool whole_file) {
  if (tail.empty() || tail.back() != '\n') return {};
  tail.remove_suffix(1);
  const std::size_t begin = tail.rfind('\n');
  if (begin == std::string_view::npos) return whole_file ? tail : std::string_view();
  return tail.substr(begin + 1);
}

std::string read_from(int fd, off_t offset) {
  std::string bytes(tail_bytes, '\0');
  const ssize_t got = ::pread(fd, bytes.data(), bytes.size(), offset);
  bytes.resize(static_cast<std::size_t>(std::max<ssize_t>(0, got)));
  return bytes;
}

}  // namespace

Journal::Journal(const std::filesystem::path& file)
    : file_(file), open_(open_own_file(file, O_RDWR | O_APPEND | O_CREAT)) {
  if (ends_torn(open_.get()) && !append_whole(open_.get(), "\n")) cannot_append(file_);
}

void Journal::append(const Json& record) {
  if (!append_whole(open_.get(), journal_line(record))) cannot_append(file_);
}

void Journal::append_durably(const Json& record) {
  append(record);
  if (::fdatasync(open_.get()) != 0) cannot_append(file_);
}

JournalContent read_journal(const std::filesystem::path& file) {
  JournalContent content;
  if (!is_there(file)) return content;
  const std::string bytes = read_own_file(file, largest_journal);
  std::string_view rest = bytes;
  for (std::int64_t number = 1; !rest.empty(); ++number) {
    const std::size_t end = rest.find('\n');
    const std::string_view line = rest.substr(0, end);
    content.torn = end == std::string_view::npos;
    rest.remove_prefix(content.torn ? rest.size() : end + 1);
    if (line.empty()) continue;
    Json record = parsed(line);
    refuse_newer(record, file);
    if (intact(line) && record.is_object()) {
      content.records.push_back(std::move(record));
    } else if (!content.torn) {
      content.damaged.push_back(number);
    }
  }
  return content;
}

std::optional<JournalEnds> journal_ends(const std::filesystem::path& file) {
  if (!is_there(file)) return std::nullopt;
  const Descriptor open = open_own_file(file, O_RDONLY);
  const std::string head = read_from(open.get(), 0);
  const off_t from = std::max<off_t>(0, ::lseek(open.get(), 0, SEEK_END) - off_t{tail_bytes});
  const std::string tail = from == 0 ? head : read_from(open.get(), from);
  const std::string_view first = first_line(head);
  const std::string_view last = last_line(tail, from == 0);
  if (!intact(first) || !intact(last)) return std::nullopt;
  JournalEnds ends{parsed(first), parsed(last)};
  refuse_newer(ends.first, file);
  if (!ends.first.is_object() || !ends.last.is_object()) return std::nullopt;
  return ends;
}

}  // namespace espalier
