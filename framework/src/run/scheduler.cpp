#include "run/scheduler.hpp"

#include <poll.h>

#include "results/journal.hpp"
#include "results/trial_record.hpp"
#include "run/stop_signals.hpp"
#include <algorithm>

#include "slot_internal.hpp"

namespace espalier {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int tick_ms = 100;
constexpr int limit_tick_ms = 20;

class Sweep {
 public:
  Sweep(const SchedulerOptions& options, const std::vector<QueuedTrial>& trials,
        SweepObserver& observer)
      : options_(options), observer_(observer), queue_(trials) {
    slots_.resize(std::min(options.workers, trials.size()));
  }

  SweepEnd run() {
    while (!finished()) {
      fill();
      if (finished()) break;
      wait();
      enforce_limits();
      enforce_grace();
      observer_.tick();
    }
    for (Slot& slot : slots_) {
      if (slot.worker) slot.worker->end_input();
    }
    for (Slot& slot : slots_) {
      if (slot.worker) slot.worker->wait();
    }
    return end_;
  }

 private:
  [[nodiscard]] bool stopping() const { return end_.signal != 0 || end_.storage.has_value(); }
  [[nodiscard]] bool running() const {
    return std::any_of(slots_.begin(), slots_.end(), [](const Slot& s) { return s.running; });
  }
  [[nodiscard]] bool finished() const {
    return end_.at_once || (!running() && (stopping() || queue_.waiting() == 0));
  }

  void fill() {
    std::size_t spare = queue_.waiting();
    for (Slot& slot : slots_) {
      if (stopping()) return;
      if (slot.idle()) give(slot);
      const bool useful = spare > 0 && queue_.waiting() > 0;
      if (!slot.worker && useful) slot.worker = std::make_unique<WorkerProcess>(options_.worker);
      if (slot.worker && !slot.running && spare > 0) --spare;
    }
  }

  void give(Slot& slot) {
    while (const auto trial = queue_.next()) {
      const std::optional<TrialRequest> request = options_.request(*trial);
      if (!request) {
        queue_.done(*trial, true);
        observer_.ended(index(slot), *trial, TrialOutcome::complete, {});
        continue;
      }
      slot.running = RunningTrial{*trial, request->folder, Clock::now()};
      slot.worker->send(to_json(*request));
      return observer_.started(index(slot), *trial);
    }
  }

  void wait() {
    std::vector<pollfd> polled{{signals_.descriptor(), POLLIN, 0}};
    std::vector<std::pair<Slot*, bool>> owners{{nullptr, false}};
    for (Slot& slot : slots_) {
      if (!slot.worker) continue;
      polled.push_back({slot.worker->output(), POLLIN, 0});
      owners.emplace_back(&slot, true);
      if (slot.worker->errors() < 0) continue;
      polled.push_back({slot.worker->errors(), POLLIN, 0});
      owners.emplace_back(&slot, false);
    }
    const bool limited = options_.limits.seconds > 0 || options_.limits.bytes > 0;
    if (::poll(polled.data(), polled.size(), limited ? limit_tick_ms : tick_ms) < 0) return;
    if (polled[0].revents != 0) take_signals();
    for (std::size_t i = 1; i < polled.size() && !end_.at_once; ++i) {
      Slot& slot = *owners[i].first;
      if (polled[i].revents == 0 || !slot.worker) continue;
      if (owners[i].second) {
        listen(slot);
      } else {
        slot.worker->read_errors();
      }
    }
  }

  void take_signals() {
    while (const auto signal = signals_.take()) {
      if (stopping()) {
        end_.signal = end_.signal != 0 ? end_.signal : *signal;
        return abandon();
      }
      end_.signal = *signal;
      observer_.stopping(*signal);
      ask_to_stop();
      deadline_ = Clock::now() + options_.grace;
    }
  }

  void ask_to_stop() {
    for (Slot& slot : slots_) {
      if (slot.running) slot.worker->send({{"do", "stop"}});
    }
  }

  void abandon() {
    for (Slot& slot : slots_) slot.worker.reset();
    end_.at_once = true;
  }

  void listen(Slot& slot) {
    std::vector<Json> messages;
    const bool open = slot.worker->read_output(messages);
    for (const Json& message : messages) hear(slot, message);
    if (!open) bury(slot);
  }

  void hear(Slot& slot, const Json& message) {
    const std::string say = message.value("say", "");
    if (say == "ready") slot.ready = true;
    if (!slot.running) return;
    if (say == "stage") observer_.stage(index(slot), message.value("stage", ""));
    if (say == "progress") {
      observer_.progress(index(slot), message.value("stage", ""),
                         message.value("done", std::size_t{0}),
                         message.value("all", std::size_t{0}));
    }
    if (say == "warning") observer_.warning(message.value("text", ""));
    if (say == "epoch") {
      const auto top1 = message.find("top1");
      observer_.epoch(index(slot), message.value("epoch", std::int64_t{0}),
                      message.value("split", "val"),
                      top1 != message.end() && top1->is_number() ? top1->get<double>() : missing);
    }
    if (say == "complete") finish(slot, TrialOutcome::complete, {});
    if (say == "stopped") finish(slot, TrialOutcome::stopped, {});
    if (say == "failed") finish(slot, TrialOutcome::failed, message.value("error", ""));
    if (say == "full") storage_problem(slot, message.value("error", ""));
  }

  void finish(Slot& slot, TrialOutcome outcome, const std::string& error) {
    const std::size_t trial = slot.running->trial;
    slot.running.reset();
    queue_.done(trial, outcome == TrialOutcome::complete);
    observer_.ended(index(slot), trial, outcome, error);
  }

  void storage_problem(Slot& slot, const std::string& error) {
    end_.storage = Problem{.what = "the results cannot be stored",
                           .where = slot.running->folder.string(),
                           .expected = {},
                           .found = error,
                           .fix =
                               "make room, or choose another folder with --results DIR; the same "
                               "command then goes on where this one stopped"};
    finish(slot, TrialOutcome::stopped, error);
    ask_to_stop();
  }

  void bury(Slot& slot) {
    const WorkerEnd end = slot.worker->wait();
    const bool was_ready = slot.ready;
    const Violation violation = slot.killed_for ? *slot.killed_for : violation_of(end);
    slot.worker.reset();
    slot.ready = false;
    slot.killed_for.reset();
    if (slot.running) return fail(slot, violation);
    if (!was_ready && !stopping()) cannot_work(end);
  }

  void fail(Slot& slot, const Violation& violation) {
    try {
      std::filesystem::create_directories(slot.running->folder);
      Journal(slot.running->folder / "journal.jsonl")
          .append_durably(failed_record(violation.cause, violation.error));
    } catch (const std::exception& error) {
      return storage_problem(slot, error.what());
    }
    finish(slot, TrialOutcome::failed, violation.error);
  }

  [[noreturn]] void cannot_work(const WorkerEnd& end) const {
    throw Error({.what = "a worker ended before it could take a trial",
                 .where = options_.worker.arguments[0],
                 .expected = {},
                 .found = describe(end),
                 .fix = "espalier doctor looks at the installation"});
  }

  void enforce_limits() {
    for (Slot& slot : slots_) {
      if (!slot.worker || slot.killed_for) continue;
      slot.killed_for = broken_limit(slot, options_.limits);
      if (slot.killed_for) slot.worker->kill();
    }
  }

  void enforce_grace() {
    if (end_.signal == 0 || end_.at_once || Clock::now() < deadline_) return;
    const auto late = std::count_if(slots_.begin(), slots_.end(),
                                    [](const Slot& slot) { return slot.running.has_value(); });
    if (late == 0) return;
    observer_.overdue(static_cast<std::size_t>(late));
    abandon();
  }

  [[nodiscard]] std::size_t index(const Slot& slot) const {
    return static_cast<std::size_t>(&slot - slots_.data());
  }

  const SchedulerOptions& options_;
  SweepObserver& observer_;
  StopSignals signals_;
  TrialQueue queue_;
  std::vector<Slot> slots_;
  SweepEnd end_;
  Clock::time_point deadline_;  // of stopping, once a signal came
};

}  // namespace

SweepEnd run_trials(const SchedulerOptions& options, const std::vector<QueuedTrial>& trials,
                    SweepObserver& observer) {
  return Sweep(options, trials, observer).run();
}

}  // namespace espalier
