// Shows a sweep while it runs.
#pragma once

#include "run/scheduler.hpp"
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace espalier {

struct ProgressOptions {
  std::FILE* out = stderr;
  bool terminal = false;  // a bar that is redrawn and a line a worker; else a line now and then
  std::size_t done = 0;   // trials before this run
  std::size_t total = 0;
  std::function<std::string(std::size_t trial)> label;  // such as "graph.tau=0.5 seed=1"
  std::chrono::seconds grace{20};                       // as the scheduler has it
};

class SweepProgress final : public SweepObserver {
 public:
  explicit SweepProgress(ProgressOptions options);
  // Takes the bar away.
  ~SweepProgress() override;

  void started(std::size_t slot, std::size_t trial) override;
  void stage(std::size_t slot, std::string_view name) override;
  void progress(std::size_t slot, std::string_view stage, std::size_t done,
                std::size_t all) override;
  // Each text once.
  void warning(const std::string& text) override;
  void epoch(std::size_t slot, std::int64_t epoch, const std::string& split, double top1) override;
  void ended(std::size_t slot, std::size_t trial, TrialOutcome outcome,
             const std::string& error) override;
  void stopping(int signal) override;
  void overdue(std::size_t workers) override;
  void tick() override;

 private:
  using Clock = std::chrono::steady_clock;

  // A stage that a worker makes, from the first that was heard of it.
  struct Making {
    Clock::time_point began;
    std::size_t before = 0;
    std::size_t done = 0;
    std::size_t all = 0;
  };

  [[nodiscard]] std::string summary() const;
  // What one of the workers is making, the one with the most left; empty: none.
  [[nodiscard]] std::string making() const;
  void say(const std::string& line);  // a line that stays
  void draw();
  void erase();
  // In one piece, so that nothing flickers: in place of the lines drawn last, of which the next
  // call takes away `passing`.
  void show(const std::string& text, std::size_t passing);

  ProgressOptions options_;
  std::vector<std::string> workers_;  // what each does; empty: nothing
  std::vector<std::string> labels_;   // of the trial of each
  std::map<std::size_t, Making> making_;
  std::set<std::string> warnings_;  // that were shown
  std::size_t finished_ = 0;
  std::size_t failed_ = 0;
  std::size_t drawn_ = 0;  // lines
  Clock::time_point began_ = Clock::now();
  Clock::time_point shown_ = Clock::now();
};

// `3 d 4 h`, `2 h 5 min`, `40 s`.
[[nodiscard]] std::string short_duration(double seconds);

}  // namespace espalier
