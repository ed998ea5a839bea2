#include "results/journal.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <boost/crc.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <string>
#include <string_view>

namespace espalier {
namespace {

constexpr std::string_view crc_key = ",\"crc\":\"";
constexpr std::size_t ending_size = crc_key.size() + 8 + 2;  // ,"crc":"1a2b3c4d"}
constexpr std::size_t tail_bytes = 8192;

std::string checksum(std::string_view bytes) {
  boost::crc_32_type crc;
  crc.process_bytes(bytes.data(), bytes.size());
  char text[9];
  std::snprintf(text, sizeof text, "%08x", static_cast<unsigned>(crc.checksum()));
  return text;
}

std::string line_of(const Json& record) {
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

[[noreturn]] void cannot(const char* what, const std::filesystem::path& file, int error) {
  throw Error(
      {.what = what,
       .where = file.string(),
       .expected = {},
       .found = std::strerror(error),
       .fix = error == ENOSPC ? "make room on the disk; the same command then goes on" : ""});
}

bool ends_torn(int fd) {
  const off_t size = ::lseek(fd, 0, SEEK_END);
  char last = '\n';
  return size > 0 && ::pread(fd, &last, 1, size - 1) == 1 && last != '\n';
}

// Where a line was cut by a full disk, what is there of it is taken back.
bool write_line(int fd, std::string_view line) {
  const off_t before = ::lseek(fd, 0, SEEK_END);
  ssize_t written = 0;
  do {
    written = ::write(fd, line.data(), line.size());
  } while (written < 0 && errno == EINTR);
  if (written == static_cast<ssize_t>(line.size())) return true;
  if (written >= 0) {
    if (::ftruncate(fd, before) != 0) return false;
    errno = ENOSPC;
  }
  return false;
}

}  // namespace

Journal::Journal(const std::filesystem::path& file)
    : file_(file), fd_(::open(file.c_str(), O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666)) {
  if (fd_ < 0) cannot("cannot open a journal", file_, errno);
  if (ends_torn(fd_) && !write_line(fd_, "\n")) {
    const int error = errno;
    ::close(fd_);
    cannot("cannot write to a journal", file_, error);
  }
}

Journal::~Journal() { ::close(fd_); }

void Journal::append(const Json& record) {
  if (!write_line(fd_, line_of(record))) cannot("cannot write to a journal", file_, errno);
}

void Journal::append_durably(const Json& record) {
  append(record);
  if (::fdatasync(fd_) != 0) cannot("cannot write to a journal", file_, errno);
}

JournalContent read_journal(const std::filesystem::path& file) {
  JournalContent content;
  if (!std::filesystem::exists(file)) return content;
  const std::string bytes = read_file(file, std::size_t{1} << 30);
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

std::optional<Json> last_record(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return std::nullopt;
  char bytes[tail_bytes];
  const off_t size = ::lseek(fd, 0, SEEK_END);
  const off_t from = size > static_cast<off_t>(tail_bytes) ? size - off_t{tail_bytes} : 0;
  const ssize_t got = ::pread(fd, bytes, tail_bytes, from);
  ::close(fd);
  if (got < 2 || bytes[got - 1] != '\n') return std::nullopt;

  const std::string_view tail(bytes, static_cast<std::size_t>(got) - 1);
  const std::size_t begin = tail.rfind('\n');
  if (begin == std::string_view::npos && from > 0) return std::nullopt;
  const std::string_view line = begin == std::string_view::npos ? tail : tail.substr(begin + 1);
  if (!intact(line)) return std::nullopt;
  Json record = parsed(line);
  return record.is_object() ? std::optional(std::move(record)) : std::nullopt;
}

}  // namespace espalier
