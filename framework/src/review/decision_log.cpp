#include "review/decision_log.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <espalier/core/error.hpp>
#include <espalier/core/failure.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/hash.hpp>
#include <iterator>
#include <utility>

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t largest_log = std::size_t{1} << 30;
constexpr std::string_view log_begin = "decisions.", log_end = ".jsonl";
constexpr std::pair<Verdict, std::string_view> verdicts[] = {{Verdict::accept, "accept"},
                                                             {Verdict::edit, "edit"},
                                                             {Verdict::reject, "reject"},
                                                             {Verdict::skip, "skip"}};

std::string sum_of(const Json& line) { return hex(sha256(line.dump())).substr(0, 16); }

std::string time_of_decision() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  ::gmtime_r(&now, &parts);
  char text[32];
  return {text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts)};
}

Json to_json(const Decision& decision, const std::string& reviewer) {
  Json line = {{"seq", decision.seq},         {"time", decision.time},
               {"reviewer", reviewer},        {"id", decision.id},
               {"caption", decision.caption}, {"verdict", to_string(decision.verdict)},
               {"reasons", decision.reasons}, {"ms", decision.ms},
               {"queue", decision.queue}};
  if (decision.verdict == Verdict::edit) line["text"] = decision.text;
  return line;
}

// A line as it was written; empty where it is none.
std::optional<Json> sound_line(std::string_view text) try {
  Json line = parse_json(text, "line");
  if (!line.is_object() || !line.contains("sum")) return std::nullopt;
  const Json sum = line.at("sum");
  line.erase("sum");
  if (sum != sum_of(line)) return std::nullopt;
  return line;
} catch (const Error&) {
  return std::nullopt;
}

Decision decision_from(const Json& line) {
  const auto verdict = verdict_named(line.at("verdict").get<std::string>());
  if (!verdict) throw Error({"a verdict that is not known", {}, {}, line.at("verdict").dump(), {}});
  return {.seq = line.at("seq"),
          .time = line.at("time"),
          .id = line.at("id"),
          .caption = line.at("caption"),
          .verdict = *verdict,
          .text = line.value("text", std::string()),
          .reasons = line.at("reasons"),
          .ms = line.at("ms"),
          .queue = line.at("queue")};
}

// Adds what a line says; false where it is no decision and takes none back.
bool apply_line(const Json& line, std::string_view reviewer, DecisionText& log) try {
  const std::int64_t seq = line.at("seq");
  if (line.at("reviewer") != reviewer || seq != log.last_seq + 1) return false;
  if (line.contains("revokes")) {
    const std::int64_t revoked = line.at("revokes");
    std::erase_if(log.standing, [&](const Decision& one) { return one.seq == revoked; });
  } else {
    log.standing.push_back(decision_from(line));
  }
  log.last_seq = seq;
  return true;
} catch (const std::exception&) {
  return false;
}

[[noreturn]] void damaged(const std::string& origin, std::size_t number, std::string_view line) {
  throw Error({.what = "a decision is damaged",
               .where = origin + ":" + std::to_string(number),
               .expected = "a line as the review wrote it",
               .found = std::string(line.substr(0, 100)),
               .fix = "put the line back from a copy, or take it away with all after it"});
}

}  // namespace

std::string_view to_string(Verdict verdict) {
  return verdicts[static_cast<std::size_t>(verdict)].second;
}

std::optional<Verdict> verdict_named(std::string_view name) {
  for (const auto& [verdict, known] : verdicts) {
    if (known == name) return verdict;
  }
  return std::nullopt;
}

std::string caption_hash(std::string_view text) { return hex(sha256(text)); }

bool is_reviewer_name(std::string_view name) {
  return !name.empty() && name.size() <= 40 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_';
  });
}

fs::path decision_file(const fs::path& folder, const std::string& reviewer) {
  return folder / (std::string(log_begin) + reviewer + std::string(log_end));
}

std::vector<std::string> reviewers_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(log_begin) || !name.ends_with(log_end) ||
        name.size() <= log_begin.size() + log_end.size()) {
      continue;
    }
    std::string reviewer =
        name.substr(log_begin.size(), name.size() - log_begin.size() - log_end.size());
    if (is_reviewer_name(reviewer)) names.push_back(std::move(reviewer));
  }
  std::sort(names.begin(), names.end());
  return names;
}

DecisionText read_decisions(std::string_view text, std::string_view reviewer,
                            const std::string& origin) {
  DecisionText log;
  for (std::size_t number = 1; log.whole < text.size(); ++number) {
    const std::size_t end = text.find('\n', log.whole);
    const std::string_view line = text.substr(log.whole, end - log.whole);
    const std::optional<Json> sound = sound_line(line);
    const bool is_last = end == text.npos || end + 1 == text.size();
    if (end == text.npos || (!sound && is_last)) return log;
    if (!sound || !apply_line(*sound, reviewer, log)) damaged(origin, number, line);
    log.whole = end + 1;
  }
  return log;
}

std::vector<Decision> decisions_of(const fs::path& folder, const std::string& reviewer) {
  const fs::path file = decision_file(folder, reviewer);
  return read_decisions(read_own_file(file, largest_log), reviewer, file.string()).standing;
}

DecisionLog::DecisionLog(const fs::path& folder, std::string reviewer)
    : file_(decision_file(folder, reviewer)), reviewer_(std::move(reviewer)) {
  std::error_code failed;
  fs::create_directories(folder, failed);
  open_ = open_own_file(file_, O_RDWR | O_CREAT | O_APPEND);
  if (::flock(open_.get(), LOCK_EX | LOCK_NB) != 0) {
    throw Error({.what = "this reviewer has a page open already",
                 .where = file_.string(),
                 .expected = "one page a reviewer",
                 .found = {},
                 .fix = "close the other, or give this one another name with --reviewer"});
  }
  DecisionText log = read_decisions(read_own_file(file_, largest_log), reviewer_, file_.string());
  if (::ftruncate(open_.get(), static_cast<off_t>(log.whole)) != 0) {
    throw StorageError(
        {"a torn decision cannot be cut off", file_.string(), {}, system_error(errno), {}});
  }
  standing_ = std::move(log.standing);
  last_seq_ = log.last_seq;
  bytes_ = log.whole;
}

void DecisionLog::append(Json line) {
  line["sum"] = sum_of(line);
  const std::string text = line.dump() + "\n";
  if (append_whole(open_.get(), text) && ::fdatasync(open_.get()) == 0) {
    bytes_ += text.size();
    return;
  }
  const int error = errno;
  static_cast<void>(::ftruncate(open_.get(), static_cast<off_t>(bytes_)) == 0);
  throw StorageError({.what = "a decision cannot be stored",
                      .where = file_.string(),
                      .expected = {},
                      .found = system_error(error),
                      .fix = "make room on the disk, and decide again"});
}

const Decision& DecisionLog::add(Decision decision) {
  decision.seq = last_seq_ + 1;
  decision.time = time_of_decision();
  append(to_json(decision, reviewer_));
  last_seq_ = decision.seq;
  return standing_.emplace_back(std::move(decision));
}

std::optional<Decision> DecisionLog::undo() {
  if (standing_.empty()) return std::nullopt;
  append({{"seq", last_seq_ + 1},
          {"time", time_of_decision()},
          {"reviewer", reviewer_},
          {"revokes", standing_.back().seq}});
  ++last_seq_;
  Decision revoked = std::move(standing_.back());
  standing_.pop_back();
  return revoked;
}

}  // namespace espalier
