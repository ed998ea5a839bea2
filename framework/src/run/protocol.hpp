// What host and worker say to each other: one JSON object a line.
//
//   host to worker   {"do": "trial", ...}  run it         {"do": "stop"}  stop after this epoch
//   worker to host   {"say": "ready"}                     may be given a trial
//                    {"say": "stage", "stage"}            a stage begins
//                    {"say": "epoch", "epoch", "top1"}    now and then
//                    {"say": "warning", "text"}           the user should know
//                    {"say": "complete"} | {"say": "stopped"} | {"say": "failed", "error"}
//                    {"say": "full", "error"}             could not store; the trial did not fail
//
// After the last four the worker is free again. The end of its input ends the worker: at once, even
// in the middle of a trial, because then the host is gone.
#pragma once

#include "run/trial_request.hpp"
#include <espalier/core/json.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace espalier {

// On which a worker inherits the lock of the results folder (run_lock.hpp).
inline constexpr int lock_descriptor = 3;

[[nodiscard]] Json to_json(const TrialRequest& request);
// Throws Error where a member is missing or of another type.
[[nodiscard]] TrialRequest request_from_json(const Json& json);

// Writes a message as one line; without effect where nobody reads any more.
void write_message(int descriptor, const Json& message);

// Cuts a stream into lines.
class LineReader {
 public:
  // What one read(2) gives; false at the end of the stream. Blocks as the descriptor does.
  bool fill(int descriptor);
  // The next whole line without its end.
  [[nodiscard]] std::optional<std::string> next();
  // What has no line end yet.
  [[nodiscard]] std::string_view rest() const noexcept { return buffer_; }

 private:
  std::string buffer_;
};

}  // namespace espalier
