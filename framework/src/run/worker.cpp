#include "run/worker.hpp"

#include <fcntl.h>
#include <spdlog/logger.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "results/journal.hpp"
#include "results/result_file.hpp"
#include "results/trial_record.hpp"
#include "run/protocol.hpp"
#include <chrono>
#include <csignal>
#include <cstring>
#include <espalier/core/error.hpp>
#include <filesystem>
#include <string>

#include "inbox_internal.hpp"

namespace espalier {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto between_reports = std::chrono::milliseconds(100);
constexpr std::uintmax_t little_room = 1 << 20;

// Nobody is there to hear when this fails: the end of the input then ends the worker.
void report(int out, const Json& message) {
  const std::string line = message.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t written = ::write(out, rest.data(), rest.size());
    if (written <= 0) return;
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

// Whether a failure says more about the disk than about the trial.
bool storage_failed(const std::string& message, const std::filesystem::path& folder) {
  for (const int error : {ENOSPC, EDQUOT, EROFS}) {
    if (message.find(std::strerror(error)) != std::string::npos) return true;
  }
  std::error_code ignored;
  const auto space = std::filesystem::space(folder, ignored);
  return !ignored && space.available < little_room;
}

class Execution {
 public:
  Execution(const WorkerOptions& options, const TrialRequest& request)
      : options_(options), request_(request) {
    std::filesystem::create_directories(request.folder);
    journal_.emplace(request.folder / "journal.jsonl");
    journal_->append_durably(start_record(request.trial_id, request.combo_id, request.attempt));
  }

  Json run(const TrialFunction& trial, const std::atomic<bool>& stop) {
    spdlog::logger log("trial", std::make_shared<spdlog::sinks::basic_file_sink_st>(
                                    (request_.folder / "log.txt").string()));
    std::optional<TrialResult> result = trial(request_, hooks(log, stop));
    if (!result) {
      journal_->append_durably(stopped_record());
      return {{"say", "stopped"}};
    }
    complete(*result);
    return {{"say", "complete"}};
  }

  void fail(const std::string& error) {
    journal_->append_durably(failed_record("exception", error));
  }

 private:
  TrialHooks hooks(spdlog::logger& log, const std::atomic<bool>& stop) {
    TrialHooks hooks;
    hooks.loader = options_.loader;
    hooks.log = &log;
    hooks.device = options_.device;
    hooks.stop = &stop;
    hooks.epoch = [this](const EpochMetrics& metrics) { note(metrics); };
    hooks.stage = [this](std::string_view stage) {
      journal_->append({{"event", "stage"}, {"stage", stage}});
      report(options_.out, {{"say", "stage"}, {"stage", stage}});
    };
    hooks.warning = [this](const std::string& text) {
      report(options_.out, {{"say", "warning"}, {"text", text}});
    };
    return hooks;
  }

  void note(const EpochMetrics& metrics) {
    journal_->append(epoch_record(metrics));
    if (metrics.split != "val" || Clock::now() - reported_ < between_reports) return;
    reported_ = Clock::now();
    report(options_.out, {{"say", "epoch"}, {"epoch", metrics.epoch}, {"top1", metrics.top1}});
  }

  void complete(TrialResult& result) {
    result.environment.update(options_.environment);
    const ResultExtent extent = write_result(request_.folder / "result.h5", result);
    journal_->append_durably(complete_record(result, extent));
  }

  const WorkerOptions& options_;
  const TrialRequest& request_;
  std::optional<Journal> journal_;
  Clock::time_point reported_{};
};

std::string message_of(const std::exception_ptr& failure) try {
  std::rethrow_exception(failure);
} catch (const std::bad_alloc&) {
  return "out of memory";
} catch (const std::exception& error) {
  return error.what();
} catch (...) {
  return "something was thrown that is no std::exception";
}

Json run_one(const WorkerOptions& options, const TrialFunction& trial, const TrialRequest& request,
             const std::atomic<bool>& stop) {
  std::optional<Execution> execution;
  std::string error;
  try {
    execution.emplace(options, request);
    return execution->run(trial, stop);
  } catch (...) {
    error = message_of(std::current_exception());
  }
  if (!execution || storage_failed(error, request.folder)) {
    return {{"say", "full"}, {"error", error}};
  }
  try {
    execution->fail(error);
  } catch (const Error& unwritten) {
    return {{"say", "full"}, {"error", unwritten.what()}};
  }
  return {{"say", "failed"}, {"error", error}};
}

}  // namespace

void serve_trials(const WorkerOptions& options, const TrialFunction& run) {
  Inbox inbox(options.in);
  report(options.out, {{"say", "ready"}});
  while (const std::optional<TrialRequest> request = inbox.next()) {
    const Json answer = run_one(options, run, *request, inbox.stop());
    inbox.done();
    report(options.out, answer);
  }
}

int begin_worker() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) std::signal(signal, SIG_IGN);
  const int out = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, lock_descriptor + 1);
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  ::fcntl(lock_descriptor, F_SETFD, FD_CLOEXEC);
  return out;
}

}  // namespace espalier
