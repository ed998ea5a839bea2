// The host's side of one worker process.
#pragma once

#include "run/protocol.hpp"
#include <cstdint>
#include <espalier/core/descriptor.hpp>
#include <espalier/core/json.hpp>
#include <espalier/core/process.hpp>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

struct WorkerCommand {
  std::vector<std::string> arguments;              // the program first
  std::map<std::string, std::string> environment;  // added to this process's own
  int lock = -1;                                   // descriptor that the worker inherits, or -1
};

struct WorkerEnd : ProcessEnd {
  std::string last_words;  // the end of its standard error
};

// Started in a process group of its own, so that Ctrl-C reaches the host alone and a kill reaches
// whatever the worker started. Killed when this object goes. Not copied, not moved.
class WorkerProcess {
 public:
  // Throws Error when the program cannot be started.
  explicit WorkerProcess(const WorkerCommand& command);

  // Without effect where the worker is gone: its end is seen when it is read from.
  void send(const Json& message);
  // No more requests: an idle worker ends.
  void end_input() { in_.close(); }
  void kill() { process_->kill(); }

  [[nodiscard]] int output() const noexcept { return out_.get(); }
  [[nodiscard]] int errors() const noexcept { return err_.get(); }
  // Reads what is there and adds whole messages; false at the end of the output.
  bool read_output(std::vector<Json>& messages);
  void read_errors();

  // Waits for the end; kills when it does not come within some seconds.
  WorkerEnd wait();
  // Resident memory now; 0 where it cannot be told.
  [[nodiscard]] std::int64_t resident_bytes() const;
  [[nodiscard]] pid_t pid() const noexcept { return process_->pid(); }

 private:
  std::optional<ChildProcess> process_;
  Descriptor in_;
  Descriptor out_;
  Descriptor err_;
  LineReader lines_;
  std::string words_;
};

}  // namespace espalier
