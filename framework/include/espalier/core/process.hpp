// Other programs: where this installation's are, and running one to its end.
#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace espalier {

// The program that is running.
[[nodiscard]] std::filesystem::path current_executable();

// espalier-worker: beside the running program, else in ../libexec/espalier. Throws Error when it is
// in neither.
[[nodiscard]] std::filesystem::path worker_program();

// Cores that this process may use, 1 where that cannot be told.
[[nodiscard]] int usable_cores();

struct ProcessResult {
  int exit_code = 0;       // of a program that ended by itself
  int signal = 0;          // that killed it, else 0
  bool timed_out = false;  // it was killed because its time was up
  std::string out;
  std::string err;

  [[nodiscard]] bool ok() const noexcept { return exit_code == 0 && signal == 0 && !timed_out; }
};

// How it ended, for a message: `exit code 3`, `signal 11 (Segmentation fault)`, `no end within its
// time limit`.
[[nodiscard]] std::string ending(const ProcessResult& result);

// Starts arguments[0] with nothing on its standard input and waits for its end. Of each stream at
// most 64 MiB are kept. Throws Error when it cannot be started.
[[nodiscard]] ProcessResult run_process(const std::vector<std::string>& arguments,
                                        std::chrono::milliseconds time_limit);

}  // namespace espalier
