// The host's side of one worker process.
#pragma once

#include <sys/types.h>

#include "run/protocol.hpp"
#include <cstdint>
#include <espalier/core/json.hpp>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

struct WorkerCommand {
  std::vector<std::string> arguments;              // the program first
  std::map<std::string, std::string> environment;  // added to this process's own
  int lock = -1;                                   // descriptor that the worker inherits, or -1
};

// How a process ended.
struct ProcessEnd {
  int exit_code = 0;
  int signal = 0;
  std::string last_words;  // the end of its standard error
};

// Started in a process group of its own, so that Ctrl-C reaches the host alone and a kill reaches
// whatever the worker started. Killed when this object goes. Not copied, not moved.
class WorkerProcess {
 public:
  // Throws Error when the program cannot be started.
  explicit WorkerProcess(const WorkerCommand& command);
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;
  ~WorkerProcess();

  // Without effect where the worker is gone: its end is seen when it is read from.
  void send(const Json& message);
  // No more requests: an idle worker ends.
  void end_input();
  void kill();

  [[nodiscard]] int output() const noexcept { return out_; }
  [[nodiscard]] int errors() const noexcept { return err_; }
  // Reads what is there and adds whole messages; false at the end of the output.
  bool read_output(std::vector<Json>& messages);
  void read_errors();

  // Waits for the end; kills when it does not come within some seconds.
  ProcessEnd wait();
  // Resident memory now; 0 where it cannot be told.
  [[nodiscard]] std::int64_t resident_bytes() const;
  [[nodiscard]] pid_t pid() const noexcept { return pid_; }

 private:
  pid_t pid_ = -1;
  int in_ = -1;
  int out_ = -1;
  int err_ = -1;
  LineReader lines_;
  std::string words_;
};

}  // namespace espalier
