#include "run/worker.hpp"

#include <fcntl.h>
#include <spdlog/logger.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "results/journal.hpp"
#include "results/result_file.hpp"
#include "results/trial_record.hpp"
#include "run/freed_memory.hpp"
#include "run/input_guard.hpp"
#include "run/protocol.hpp"
#include <chrono>
#include <csignal>
#include <espalier/core/error.hpp>
#include <espalier/core/failure.hpp>
#include <espalier/core/file.hpp>
#include <filesystem>
#include <string>

#include "inbox_internal.hpp"
#include "trial_log_internal.hpp"

namespace espalier {
namespace {

using Clock = std::chrono::steady_clock;
constexpr auto between_reports = std::chrono::milliseconds(100);
constexpr std::uintmax_t little_room = 1 << 20;

std::filesystem::path content_memo(const std::filesystem::path& cache) {
  return cache.empty() ? cache : cache / "content";
}

// Components write files of their own, and say in their own words that they could not.
bool nearly_full(const std::filesystem::path& folder) {
  std::error_code ignored;
  const auto space = std::filesystem::space(folder, ignored);
  return !ignored && space.available < little_room;
}

// What a worker keeps from trial to trial.
struct Keep {
  std::optional<ComponentPool> pool;
  std::shared_ptr<PartShelf> shelf = std::make_shared<PartShelf>();
  std::shared_ptr<CaptionJudge> judge = std::make_shared<CaptionJudge>();
  std::optional<InputGuard> guard;
};

class Execution {
 public:
  Execution(const WorkerOptions& options, const TrialRequest& request, Keep& keep)
      : options_(options), request_(request), keep_(keep) {
    std::filesystem::create_directories(request.folder);
    journal_.emplace(request.folder / "journal.jsonl");
    journal_->append_durably(start_record(request.trial_id, request.combo_id, request.attempt));
  }

  Json run(const TrialFunction& trial, const std::atomic<bool>& stop) {
    spdlog::logger log("trial", std::make_shared<TrialLog>(request_.folder / "log.txt"));
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
    hooks.loaders = options_.loaders;
    hooks.pool = keep_.pool ? &*keep_.pool : nullptr;
    hooks.shelf = keep_.shelf;
    hooks.judge = keep_.judge;
    hooks.stop = &stop;
    hooks.epoch = [this](const EpochMetrics& metrics) { note(metrics); };
    hooks.stage = [this](std::string_view stage) {
      journal_->append({{"event", "stage"}, {"stage", stage}});
      write_message(options_.out, {{"say", "stage"}, {"stage", stage}});
    };
    hooks.progress = [this](std::string_view stage, std::size_t done, std::size_t all) {
      if (done < all && Clock::now() - reported_ < between_reports) return;
      reported_ = Clock::now();
      write_message(options_.out,
                    {{"say", "progress"}, {"stage", stage}, {"done", done}, {"all", all}});
    };
    hooks.warning = [this](const std::string& text) {
      write_message(options_.out, {{"say", "warning"}, {"text", text}});
    };
    hooks.reading = [this] { keep_.guard->note_reading(); };
    hooks.check_inputs = [this] { keep_.guard->check(request_.inputs); };
    return hooks;
  }

  void note(const EpochMetrics& metrics) {
    journal_->append(epoch_record(metrics));
    const bool trained = metrics.split == "train";
    const bool reports = !trained || without_validation_;
    without_validation_ = trained;
    if (!reports || Clock::now() - reported_ < between_reports) return;
    reported_ = Clock::now();
    write_message(options_.out, {{"say", "epoch"},
                                 {"epoch", metrics.epoch},
                                 {"split", metrics.split},
                                 {"top1", metrics.top1}});
  }

  void complete(TrialResult& result) {
    result.environment.update(options_.environment);
    keep_.guard->check_at_end(request_.inputs);
    const ResultExtent extent = write_result(request_.folder / "result.h5", result);
    journal_->append_durably(complete_record(result, extent));
  }

  const WorkerOptions& options_;
  const TrialRequest& request_;
  Keep& keep_;
  std::optional<Journal> journal_;
  Clock::time_point reported_{};
  bool without_validation_ = false;  // the row before was of `train`
};

struct Failure {
  std::string error;
  bool storage = false;  // it says more about the disk than about the trial
};

bool is_about_storage(const std::exception_ptr& thrown) try {
  std::rethrow_exception(thrown);
} catch (const StorageError&) {
  return true;
} catch (const std::system_error& error) {
  return is_storage_failure(error.code());
} catch (...) {
  return false;
}

Json run_one(const WorkerOptions& options, const TrialFunction& trial, const TrialRequest& request,
             Keep& keep, const std::atomic<bool>& stop) {
  std::optional<Execution> execution;
  Failure failure;
  try {
    execution.emplace(options, request, keep);
    return execution->run(trial, stop);
  } catch (...) {
    failure = {message_of(std::current_exception()), is_about_storage(std::current_exception())};
  }
  if (!execution || failure.storage || nearly_full(request.folder)) {
    return {{"say", "full"}, {"error", failure.error}};
  }
  try {
    execution->fail(failure.error);
  } catch (const Error& unwritten) {
    return {{"say", "full"}, {"error", unwritten.what()}};
  }
  return {{"say", "failed"}, {"error", failure.error}};
}

}  // namespace

void serve_trials(const WorkerOptions& options, const TrialFunction& run) {
  Keep keep;
  if (options.loader != nullptr) keep.pool.emplace(*options.loader, options.device);
  Inbox inbox(options.in);
  write_message(options.out, {{"say", "ready"}});
  while (const std::optional<TrialRequest> request = inbox.next()) {
    if (!keep.guard) keep.guard.emplace(content_memo(request->cache));
    give_back_freed_memory();
    const Json answer = run_one(options, run, *request, keep, inbox.stop());
    inbox.done();
    write_message(options.out, answer);
  }
}

int begin_worker() {
  keep_freed_memory();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGXFSZ}) std::signal(signal, SIG_IGN);
  const int out = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, lock_descriptor + 1);
  ::dup2(STDERR_FILENO, STDOUT_FILENO);
  ::fcntl(lock_descriptor, F_SETFD, FD_CLOEXEC);
  return out;
}

}  // namespace espalier
