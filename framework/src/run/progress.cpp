#include "run/progress.hpp"

#include <sys/ioctl.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <espalier/core/printable.hpp>
#include <utility>

namespace espalier {
namespace {

constexpr auto redraw = std::chrono::milliseconds(100);
constexpr auto quiet = std::chrono::seconds(10);
constexpr std::size_t bar_width = 24;

template <class... Args>
std::string format(const char* pattern, Args... args) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, args...);
  return text;
}

std::size_t terminal_width(std::FILE* out) {
  winsize size{};
  return ::ioctl(::fileno(out), TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

std::string bar(std::size_t done, std::size_t total) {
  const std::size_t full = total == 0 ? bar_width : bar_width * done / total;
  return "[" + std::string(full, '=') + std::string(bar_width - full, ' ') + "] ";
}

std::string first_line_of(const std::string& text) { return text.substr(0, text.find('\n')); }

}  // namespace

std::string short_duration(double seconds) {
  const auto whole = static_cast<long long>(std::ceil(std::max(0.0, seconds)));
  if (whole < 60) return format("%lld s", whole);
  if (whole < 3600) return format("%lld min %lld s", whole / 60, whole % 60);
  if (whole < 86400) return format("%lld h %lld min", whole / 3600, whole % 3600 / 60);
  return format("%lld d %lld h", whole / 86400, whole % 86400 / 3600);
}

SweepProgress::SweepProgress(ProgressOptions options) : options_(std::move(options)) {}

SweepProgress::~SweepProgress() { erase(); }

void SweepProgress::started(std::size_t slot, std::size_t trial) {
  if (workers_.size() <= slot) {
    workers_.resize(slot + 1);
    labels_.resize(slot + 1);
  }
  labels_[slot] = options_.label(trial);
  workers_[slot] = "begins";
}

void SweepProgress::stage(std::size_t slot, std::string_view name) {
  workers_[slot] = name;
  making_.erase(slot);
}

void SweepProgress::progress(std::size_t slot, std::string_view stage, std::size_t done,
                             std::size_t all) {
  const auto [found, first] = making_.try_emplace(slot, Making{Clock::now(), done, done, all});
  Making& making = found->second;
  making.done = done;
  making.all = all;
  std::string text =
      format("%.*s: %zu of %zu", static_cast<int>(stage.size()), stage.data(), done, all);
  const double seconds = std::chrono::duration<double>(Clock::now() - making.began).count();
  if (!first && done > making.before && seconds > 0) {
    const double rate = static_cast<double>(done - making.before) / seconds;
    text += format(", %.1f/s, ", rate) +
            short_duration(static_cast<double>(all - std::min(all, done)) / rate) + " left";
  }
  workers_[slot] = text;
}

void SweepProgress::warning(const std::string& text) {
  if (warnings_.insert(text).second) say("warning: " + printable_lines(text));
}

void SweepProgress::epoch(std::size_t slot, std::int64_t epoch, const std::string& split,
                          double top1) {
  making_.erase(slot);
  workers_[slot] = format("epoch %lld, ", static_cast<long long>(epoch)) + printable(split) +
                   format("_top1 %.3f", top1);
}

void SweepProgress::ended(std::size_t slot, std::size_t trial, TrialOutcome outcome,
                          const std::string& error) {
  if (slot < workers_.size()) workers_[slot].clear();
  making_.erase(slot);
  if (outcome == TrialOutcome::complete) ++finished_;
  if (outcome != TrialOutcome::failed) return;
  ++failed_;
  if (options_.terminal)
    say("failed: " + options_.label(trial) + ": " + printable(first_line_of(error)));
}

void SweepProgress::stopping(int signal) {
  say(format("stopping: workers finish their epoch and keep a checkpoint; those that have not in "
             "%lld s are ended",
             static_cast<long long>(options_.grace.count())) +
      (signal == SIGINT ? "; Ctrl-C again stops at once" : ""));
}

void SweepProgress::overdue(std::size_t workers) {
  say(format(workers == 1 ? "%zu worker did not stop in time and was ended"
                          : "%zu workers did not stop in time and were ended",
             workers) +
      "; what they ran goes on from the last checkpoint");
}

void SweepProgress::tick() {
  const Clock::time_point now = Clock::now();
  if (now - shown_ < (options_.terminal ? Clock::duration(redraw) : Clock::duration(quiet))) return;
  shown_ = now;
  if (options_.terminal) return draw();
  const std::string stage = making();
  say(stage.empty() ? summary() : summary() + "; " + stage);
}

std::string SweepProgress::making() const {
  const auto most =
      std::max_element(making_.begin(), making_.end(), [](const auto& a, const auto& b) {
        return a.second.all - a.second.done < b.second.all - b.second.done;
      });
  return most == making_.end() ? "" : workers_[most->first];
}

std::string SweepProgress::summary() const {
  const std::size_t done = options_.done + finished_;
  std::string text = format("%zu of %zu trials done", done, options_.total);
  if (failed_ > 0) text += format(", %zu failed", failed_);
  const std::size_t ended = finished_ + failed_;
  if (ended == 0) return text;
  const double seconds = std::chrono::duration<double>(Clock::now() - began_).count();
  const double rate = static_cast<double>(ended) / seconds;
  text += rate >= 1 ? format(", %.1f trials/s", rate) : format(", %.1f trials/min", rate * 60);
  const std::size_t left = options_.total - std::min(options_.total, done + failed_);
  // While a stage is made, finished trials say nothing of those that wait for it.
  if (left > 0 && making_.empty())
    text += ", " + short_duration(static_cast<double>(left) / rate) + " left";
  return text;
}

void SweepProgress::say(const std::string& line) { show(line + "\n", 0); }

void SweepProgress::draw() {
  const std::size_t width = terminal_width(options_.out) - 1;
  std::vector<std::string> lines{bar(options_.done + finished_, options_.total) + summary()};
  for (std::size_t slot = 0; slot < workers_.size(); ++slot) {
    if (!workers_[slot].empty()) lines.push_back("  " + labels_[slot] + ": " + workers_[slot]);
  }
  std::string text;
  for (const std::string& line : lines) text += line.substr(0, width) + "\n";
  show(text, lines.size());
}

void SweepProgress::erase() { show({}, 0); }

void SweepProgress::show(const std::string& text, std::size_t passing) {
  std::string all;
  for (; drawn_ > 0; --drawn_) all += "\x1b[1A\x1b[2K";
  all += text;
  std::fwrite(all.data(), 1, all.size(), options_.out);
  std::fflush(options_.out);
  drawn_ = passing;
}

}  // namespace espalier
