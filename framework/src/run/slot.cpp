#include <chrono>
#include <cstdio>
#include <optional>

#include "slot_internal.hpp"

namespace espalier {
namespace {

std::string short_number(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

std::string megabytes(std::int64_t bytes) {
  return short_number(static_cast<double>(bytes) / 1e6) + " MB";
}

}  // namespace

std::optional<Violation> broken_limit(const Slot& slot, const TrialLimits& limits) {
  if (!slot.running) return std::nullopt;
  const std::chrono::duration<double> age = std::chrono::steady_clock::now() - slot.running->began;
  if (limits.seconds > 0 && age.count() > limits.seconds) {
    return Violation{"time", "over its time limit of " + short_number(limits.seconds) + " s"};
  }
  if (limits.bytes <= 0) return std::nullopt;
  const std::int64_t resident = slot.worker->resident_bytes();
  if (resident <= limits.bytes) return std::nullopt;
  return Violation{"memory", "over its memory limit of " + megabytes(limits.bytes) + ": it had " +
                                 megabytes(resident)};
}

std::string describe(const WorkerEnd& end) {
  const std::string text = (end.signal != 0 ? "killed by " : "ended with ") + ending(end);
  return end.last_words.empty() ? text : text + "; last words: " + end.last_words;
}

Violation violation_of(const WorkerEnd& end) {
  if (end.signal != 0) return {"signal", describe(end)};
  return {"exit", "its worker " + describe(end)};
}

}  // namespace espalier
