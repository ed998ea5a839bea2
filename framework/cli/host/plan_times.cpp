#include "plan_times.hpp"

#include "run/progress.hpp"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <espalier/core/printable.hpp>
#include <map>
#include <string>

namespace espalier::cli {
namespace {

// Sections whose axes tell lines apart.
constexpr std::string_view told_apart[] = {"encoder", "gnn", "head", "peft", "tune"};

struct TimeLine {
  std::size_t trials = 0;
  double least = 0;  // seconds of a trial
  double most = 0;
  double all = 0;
  std::int64_t peak_bytes = 0;
};

struct TimeSum {
  std::size_t trials = 0;
  std::size_t unknown = 0;
  double seconds = 0;
  double shared = 0;  // that every trial would take for itself
};

std::string time_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, seconds < 10 ? "%.2g s" : "%.0f s", seconds);
  return seconds < 100 ? text : short_duration(seconds);
}

std::string times_text(double least, double most) {
  const std::string from = time_text(least), to = time_text(most);
  return from == to ? to : from + " to " + to;
}

std::string line_label(const Plan& plan, std::size_t trial) {
  std::string label;
  const Json values = plan.axis_values(trial);
  for (const auto& [key, value] : values.items()) {
    const std::string section = key.substr(0, key.find('.'));
    if (std::ranges::find(told_apart, section) == std::end(told_apart)) continue;
    label += (label.empty() ? "" : " ") + key + "=" +
             (value.is_string() ? value.get<std::string>() : value.dump());
  }
  return label.empty() ? "all" : printable(label);
}

void print_time_lines(const std::vector<std::pair<std::string, TimeLine>>& lines) {
  std::printf("\nexpected time, of trials that find in the cache what they share\n");
  std::printf("  %6s  %-16s %10s %9s\n", "trials", "a trial", "all", "peak MiB");
  for (const auto& [label, line] : lines) {
    std::printf("  %6zu  %-16s %10s %9.0f  %s\n", line.trials,
                times_text(line.least, line.most).c_str(), time_text(line.all).c_str(),
                static_cast<double>(line.peak_bytes) / (1 << 20), label.c_str());
  }
}

void print_time_sum(const TimeSum& sum, std::size_t workers) {
  std::printf("  to run: %zu trials, %s of work, %s on %zu %s\n", sum.trials,
              time_text(sum.seconds).c_str(),
              time_text(sum.seconds / static_cast<double>(workers)).c_str(), workers,
              workers == 1 ? "worker" : "workers");
  if (sum.shared > 0) {
    std::printf("  were nothing shared: %s more, for what is below the trained layers\n",
                time_text(sum.shared).c_str());
  }
  if (sum.unknown > 0) {
    std::printf("  without %zu trials whose time is not known: --time measures it\n", sum.unknown);
  }
}

}  // namespace

void print_times(const Plan& plan, const std::vector<bool>& done, const TrialTimes& times,
                 std::size_t workers) {
  std::vector<std::pair<std::string, TimeLine>> lines;
  std::map<std::string, std::size_t> line_of;
  TimeSum sum;
  for (std::size_t i = 0; i < plan.trials().size(); ++i) {
    const PlannedTrial& trial = plan.trials()[i];
    if (trial.state != TrialState::planned) continue;
    const TrialTime* time = times.find(hex(trial.combo_id));
    if (time == nullptr) {
      sum.unknown += done[i] ? 0 : 1;
      continue;
    }
    const double seconds = seconds_of(*time, plan.config(i));
    const auto [at, fresh] = line_of.try_emplace(line_label(plan, i), lines.size());
    if (fresh) lines.push_back({at->first, {.least = seconds}});
    TimeLine& line = lines[at->second].second;
    ++line.trials;
    line.least = std::min(line.least, seconds);
    line.most = std::max(line.most, seconds);
    line.all += seconds;
    line.peak_bytes = std::max(line.peak_bytes, time->peak_bytes);
    if (done[i]) continue;
    ++sum.trials;
    sum.seconds += seconds;
    if (!std::isnan(time->shared)) sum.shared += time->shared;
  }
  if (lines.empty()) {
    std::printf(
        "\nexpected time: not measured yet, --time trains the first epochs of each "
        "combination once\n");
    return;
  }
  print_time_lines(lines);
  print_time_sum(sum, workers);
}

}  // namespace espalier::cli
