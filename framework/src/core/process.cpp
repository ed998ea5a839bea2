#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <espalier/core/error.hpp>
#include <espalier/core/process.hpp>
#include <utility>

namespace espalier {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t output_limit = std::size_t{64} << 20;

[[noreturn]] void cannot_start(const std::string& program, int error) {
  throw Error({.what = "cannot start a program",
               .where = program,
               .expected = {},
               .found = std::strerror(error),
               .fix = {}});
}

class Pipe {
 public:
  explicit Pipe(const std::string& program) {
    if (::pipe2(ends_.data(), O_CLOEXEC) != 0) cannot_start(program, errno);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_read();
    close_write();
  }

  [[nodiscard]] int read_end() const noexcept { return ends_[0]; }
  [[nodiscard]] int write_end() const noexcept { return ends_[1]; }
  void close_read() { close_end(ends_[0]); }
  void close_write() { close_end(ends_[1]); }

 private:
  static void close_end(int& fd) {
    if (fd >= 0) ::close(std::exchange(fd, -1));
  }
  std::array<int, 2> ends_{-1, -1};
};

pid_t spawn(const std::vector<std::string>& arguments, const Pipe& out, const Pipe& err) {
  std::vector<char*> argv;
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out.write_end(), STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, err.write_end(), STDERR_FILENO);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) cannot_start(arguments[0], error);
  return pid;
}

void take(Pipe& pipe, std::string& text) {
  char buffer[1 << 16];
  const ssize_t got = ::read(pipe.read_end(), buffer, sizeof buffer);
  if (got < 0 && errno == EINTR) return;
  if (got <= 0) return pipe.close_read();
  const auto room = std::min(static_cast<std::size_t>(got), output_limit - text.size());
  text.append(buffer, room);
}

// Reads both streams until they are closed; false when the time is up before.
bool drain(Pipe& out, Pipe& err, ProcessResult& result, Clock::time_point end) {
  while (out.read_end() >= 0 || err.read_end() >= 0) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    if (left.count() <= 0) return false;
    std::array<pollfd, 2> fds{{{out.read_end(), POLLIN, 0}, {err.read_end(), POLLIN, 0}}};
    const auto patience = static_cast<int>(std::min<std::int64_t>(left.count(), 1000));
    if (::poll(fds.data(), fds.size(), patience) < 0) continue;
    if (fds[0].revents != 0) take(out, result.out);
    if (fds[1].revents != 0) take(err, result.err);
  }
  return true;
}

int wait_until(pid_t pid, Clock::time_point end, bool& timed_out) {
  int status = 0;
  while (::waitpid(pid, &status, WNOHANG) == 0) {
    if (timed_out || Clock::now() >= end) {
      timed_out = true;
      ::kill(pid, SIGKILL);
    }
    ::usleep(1000);
  }
  return status;
}

}  // namespace

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return ::sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

std::filesystem::path current_executable() {
  return std::filesystem::read_symlink("/proc/self/exe");
}

std::filesystem::path worker_program() {
  const std::filesystem::path folder = current_executable().parent_path();
  const std::filesystem::path beside = folder / "espalier-worker";
  const std::filesystem::path installed =
      folder.parent_path() / "libexec" / "espalier" / "espalier-worker";
  for (const auto& program : {beside, installed}) {
    if (::access(program.c_str(), X_OK) == 0) return program;
  }
  throw Error({.what = "espalier-worker is missing: it does the work that needs LibTorch",
               .where = folder.string(),
               .expected = beside.string() + " or " + installed.string(),
               .found = {},
               .fix = "build the target espalier-worker, or install Espalier again"});
}

std::string ending(const ProcessResult& result) {
  if (result.timed_out) return "no end within its time limit";
  if (result.signal != 0) {
    return "signal " + std::to_string(result.signal) + " (" + ::strsignal(result.signal) + ")";
  }
  return "exit code " + std::to_string(result.exit_code);
}

ProcessResult run_process(const std::vector<std::string>& arguments,
                          std::chrono::milliseconds time_limit) {
  ESPALIER_ASSERT(!arguments.empty(), "a program to run");
  const Clock::time_point end = Clock::now() + time_limit;
  Pipe out(arguments[0]);
  Pipe err(arguments[0]);
  const pid_t pid = spawn(arguments, out, err);
  out.close_write();
  err.close_write();

  ProcessResult result;
  result.timed_out = !drain(out, err, result, end);
  const int status = wait_until(pid, end, result.timed_out);
  if (WIFSIGNALED(status)) result.signal = WTERMSIG(status);
  if (WIFEXITED(status)) result.exit_code = WEXITSTATUS(status);
  return result;
}

}  // namespace espalier
