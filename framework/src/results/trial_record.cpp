#include "results/trial_record.hpp"

#include <unistd.h>

#include "results/journal.hpp"
#include "results/trial_fields.hpp"
#include <chrono>
#include <espalier/core/error.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/process.hpp>

namespace espalier {
namespace {

double now() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

double number(const Json& record, const char* name) {
  const auto it = record.find(name);
  return it != record.end() && it->is_number() ? it->get<double>() : missing;
}

std::int64_t integer(const Json& record, const char* name, std::int64_t absent) {
  const auto it = record.find(name);
  return it != record.end() && it->is_number_integer() ? it->get<std::int64_t>() : absent;
}

std::string text(const Json& record, const char* name) {
  const auto it = record.find(name);
  return it != record.end() && it->is_string() ? it->get<std::string>() : std::string();
}

EpochMetrics epoch_from(const Json& record) {
  return {static_cast<std::int32_t>(integer(record, "epoch", -1)),
          integer(record, "step", -1),
          text(record, "split"),
          number(record, "loss"),
          number(record, "top1"),
          number(record, "lr"),
          number(record, "wall_s")};
}

// An attempt that began anew replaces what an earlier one had reached from there on.
std::vector<EpochMetrics> journaled_metrics(const JournalContent& content) {
  std::vector<EpochMetrics> metrics;
  bool restarted = false;
  for (const Json& json : content.records) {
    const std::string event = text(json, "event");
    restarted = restarted || event == "start";
    if (event != "epoch") continue;
    EpochMetrics row = epoch_from(json);
    while (restarted && !metrics.empty() && metrics.back().epoch >= row.epoch) metrics.pop_back();
    restarted = false;
    metrics.push_back(std::move(row));
  }
  return metrics;
}

void take_builds(const Json& json, TrialRecord& record) {
  for (const auto& [component, build] : json.items()) {
    if (build.is_string()) record.builds[component] = build.get<std::string>();
  }
}

void take_complete(const Json& json, TrialRecord& record) {
  record.status = TrialStatus::complete;
  record.result.trial_id = text(json, "trial_id");
  record.result.combo_id = text(json, "combo_id");
  record.result.seed = integer(json, "seed", 0);
  if (const auto it = json.find("summary"); it != json.end()) read_summary(*it, record.result);
  if (const auto it = json.find("result"); it != json.end()) record.extent = extent_from_json(*it);
  if (const auto it = json.find("builds"); it != json.end()) take_builds(*it, record);
  record.result.tuned = text(json, "tuned");
}

void take_record(const Json& json, TrialRecord& record) {
  const std::string event = text(json, "event");
  if (event == "start") {
    record.status = TrialStatus::running;
    record.result.trial_id = text(json, "trial_id");
    record.result.combo_id = text(json, "combo_id");
    record.result.attempt = integer(json, "attempt", 1);
    record.began = number(json, "time");
    record.ended = missing;
    record.error.clear();
  } else if (event == "epoch") {
    record.last_epoch = integer(json, "epoch", -1);
  } else if (event == "stopped") {
    record.status = TrialStatus::stopped;
  } else if (event == "failed") {
    record.status = TrialStatus::failed;
    record.error = text(json, "error");
  } else if (event == "complete") {
    take_complete(json, record);
  }
  if (event != "start" && event != "epoch" && event != "stage") record.ended = number(json, "time");
}

void warn_of_damage(const JournalContent& content, const std::filesystem::path& file,
                    TrialRecord& record) {
  if (content.damaged.empty()) return;
  std::string lines;
  for (const std::int64_t line : content.damaged) {
    lines += (lines.empty() ? "" : ", ") + std::to_string(line);
  }
  record.warnings.push_back(file.string() + ": checksum wrong in line " + lines +
                            "; what it said is left out");
}

void run_again(const std::string& why, TrialRecord& record) {
  record.warnings.push_back(why + "; its trial runs again");
  if (record.status == TrialStatus::complete) record.status = TrialStatus::planned;
}

// A result.h5 of which the journal does not tell: whole if its seal holds, else of no use.
void recover(const std::filesystem::path& folder, TrialRecord& record) {
  const std::filesystem::path file = folder / "result.h5";
  record.extent.reset();
  if (!is_there(file)) {
    if (record.status == TrialStatus::complete) run_again(file.string() + " is gone", record);
    return;
  }
  try {
    TrialResult result = read_result(file);
    if (result.trial_id != folder.filename()) {
      return run_again(file.string() + " is of another trial", record);
    }
    record.status = TrialStatus::complete;
    record.result = std::move(result);
    record.error.clear();
  } catch (const Error& error) {
    const Problem& problem = error.problems()[0];
    run_again(file.string() + " cannot be used: " + problem.what +
                  (problem.found.empty() ? "" : ", " + problem.found),
              record);
  }
}

// Whether result.h5 is the file that the journal of this trial tells of.
bool confirmed(const std::filesystem::path& file, TrialRecord& record, ContentHasher& hasher) {
  return record.status == TrialStatus::complete && record.extent && is_there(file) &&
         record.result.trial_id == file.parent_path().filename() &&
         has_extent(file, *record.extent, hasher);
}

// What a journal tells that was copied from another trial's folder.
void refuse_another_trial(const std::filesystem::path& journal, TrialRecord& record) {
  const std::string& told = record.result.trial_id;
  if (told.empty() || told == journal.parent_path().filename()) return;
  std::vector<std::string> warnings = std::move(record.warnings);
  record = {};
  record.warnings = std::move(warnings);
  record.warnings.push_back(journal.string() + " is of another trial and is left out");
}

}  // namespace

std::string_view to_string(TrialStatus status) {
  switch (status) {
    case TrialStatus::planned:
      return "planned";
    case TrialStatus::running:
      return "running";
    case TrialStatus::stopped:
      return "stopped";
    case TrialStatus::complete:
      return "complete";
    case TrialStatus::failed:
      return "failed";
  }
  return "planned";
}

TrialRecord read_trial(const std::filesystem::path& folder, ContentHasher& hasher) {
  const std::filesystem::path journal = folder / "journal.jsonl";
  const std::filesystem::path file = folder / "result.h5";
  TrialRecord record;
  if (!std::filesystem::exists(folder)) return record;
  if (const auto ends = journal_ends(journal); ends && text(ends->first, "event") == "start") {
    if (text(ends->last, "event") == "complete") take_record(ends->last, record);
    if (confirmed(file, record, hasher)) return record;
    record = {};
  }
  const JournalContent content = read_journal(journal);
  for (const Json& json : content.records) take_record(json, record);
  warn_of_damage(content, journal, record);
  refuse_another_trial(journal, record);
  if (!confirmed(file, record, hasher)) recover(folder, record);
  return record;
}

TrialRecord read_trial(const std::filesystem::path& folder) {
  ContentHasher none;
  return read_trial(folder, none);
}

std::filesystem::path result_digests(const std::filesystem::path& results) {
  return results / ".cache" / "results";
}

void add_metrics(const std::filesystem::path& folder, const TrialRecord& record,
                 MetricsColumns& into) {
  if (record.status == TrialStatus::planned) return;
  if (record.status != TrialStatus::complete) {
    into.add(journaled_metrics(read_journal(folder / "journal.jsonl")));
  } else if (record.extent) {
    read_metrics(folder / "result.h5", *record.extent, into);
  } else {
    into.add(record.result.metrics);
  }
}

Json start_record(const std::string& trial_id, const std::string& combo_id, std::int64_t attempt) {
  return {{"event", "start"},     {"journal", journal_version},
          {"trial_id", trial_id}, {"combo_id", combo_id},
          {"attempt", attempt},   {"host", host_name()},
          {"pid", ::getpid()},    {"time", now()}};
}

Json epoch_record(const EpochMetrics& metrics) {
  return {{"event", "epoch"},       {"epoch", metrics.epoch},  {"step", metrics.step},
          {"split", metrics.split}, {"loss", metrics.loss},    {"top1", metrics.top1},
          {"lr", metrics.lr},       {"wall_s", metrics.wall_s}};
}

Json stopped_record() { return {{"event", "stopped"}, {"time", now()}}; }

Json complete_record(const TrialResult& result, const ResultExtent& extent) {
  const auto builds = result.environment.find("builds");
  Json record{{"event", "complete"},
              {"trial_id", result.trial_id},
              {"combo_id", result.combo_id},
              {"seed", result.seed},
              {"summary", summary_json(result)},
              {"result", to_json(extent)},
              {"builds", builds == result.environment.end() ? Json::object() : *builds},
              {"time", now()}};
  if (!result.tuned.empty()) record["tuned"] = result.tuned;
  return record;
}

Json failed_record(std::string_view cause, const std::string& error) {
  return {{"event", "failed"}, {"cause", cause}, {"error", error}, {"time", now()}};
}

}  // namespace espalier
