// Other programs: where this installation's are, starting them, and how they ended.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace espalier {

// The program that is running.
[[nodiscard]] std::filesystem::path current_executable();

// espalier-worker: beside the running program, else in ../libexec/espalier. Throws Error when it is
// in neither.
[[nodiscard]] std::filesystem::path worker_program();

// Cores that this process may use, 1 where that cannot be told.
[[nodiscard]] int usable_cores();

// Of this machine; empty where that cannot be told.
[[nodiscard]] std::string host_name();

// A program to start, with signals as at login: none is blocked or ignored.
struct ProcessStart {
  std::vector<std::string> arguments;              // the program first; looked for in PATH
  std::map<std::string, std::string> environment;  // added to this process's own
  std::vector<std::pair<int, int>> descriptors;    // ours, and its number there; no others are had
  bool own_group = false;                          // else it shares this process's group
};

// How a process ended.
struct ProcessEnd {
  int exit_code = 0;            // of one that ended by itself
  int signal = 0;               // that killed it, else 0
  double cpu_seconds = 0;       // processor time that it took
  std::int64_t peak_bytes = 0;  // resident memory at its highest
  std::int64_t oom_kills = 0;   // processes that the kernel killed for lack of memory meanwhile
};

// For a message: `exit code 3`, `signal 11 (Segmentation fault)`, and for SIGKILL and limits the
// cause as well: `signal 9 (Killed): it had used up its 60 s of processor time (ulimit -t)`.
[[nodiscard]] std::string ending(const ProcessEnd& end);

// A process that was started here. Killed, with its group where that is its own, when this object
// goes.
class ChildProcess {
 public:
  // Throws Error when the program cannot be started.
  explicit ChildProcess(const ProcessStart& start);
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;
  ~ChildProcess();

  [[nodiscard]] pid_t pid() const noexcept { return pid_; }
  void kill();
  // Waits for the end, until then at the most; empty while the process runs on.
  [[nodiscard]] std::optional<ProcessEnd> wait(std::chrono::steady_clock::time_point until);

 private:
  pid_t pid_ = -1;
  bool own_group_;
  std::int64_t oom_kills_;  // of this machine before the start
};

struct ProcessResult : ProcessEnd {
  bool timed_out = false;  // it was killed because its time was up
  std::string out;
  std::string err;

  [[nodiscard]] bool ok() const noexcept { return exit_code == 0 && signal == 0 && !timed_out; }
};

// The same for a result, or `no end within its time limit`.
[[nodiscard]] std::string ending(const ProcessResult& result);

// Starts arguments[0] with nothing on its standard input and waits for its end. Of each stream at
// most 64 MiB are kept. Throws Error when it cannot be started.
[[nodiscard]] ProcessResult run_process(const std::vector<std::string>& arguments,
                                        std::chrono::milliseconds time_limit);

}  // namespace espalier
