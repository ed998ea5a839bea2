#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <espalier/core/error.hpp>
#include <espalier/core/failure.hpp>
#include <espalier/core/process.hpp>
#include <espalier/core/units.hpp>
#include <fstream>
#include <map>
#include <optional>
#include <string_view>
#include <thread>

namespace espalier {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::int64_t not_counted = -1;

// Since the machine started, of all processes; not_counted where the kernel does not tell.
std::int64_t oom_kills() {
  std::ifstream vmstat("/proc/vmstat");
  std::string name;
  for (std::int64_t value = 0; vmstat >> name >> value;) {
    if (name == "oom_kill") return value;
  }
  return not_counted;
}

std::vector<std::string> environment_with(const std::map<std::string, std::string>& added) {
  std::vector<std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text = *entry;
    if (!added.contains(std::string(text.substr(0, text.find('='))))) all.emplace_back(text);
  }
  for (const auto& [name, value] : added) all.push_back(name + "=" + value);
  return all;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> list;
  for (std::string& text : texts) list.push_back(text.data());
  list.push_back(nullptr);
  return list;
}

class Attributes {
 public:
  explicit Attributes(bool own_group) {
    posix_spawnattr_init(&value_);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&value_, &none);
    posix_spawnattr_setsigdefault(&value_, &all);
    posix_spawnattr_setpgroup(&value_, 0);
    const int group = own_group ? POSIX_SPAWN_SETPGROUP : 0;
    posix_spawnattr_setflags(
        &value_, static_cast<short>(group | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF));
  }
  Attributes(const Attributes&) = delete;
  Attributes& operator=(const Attributes&) = delete;
  ~Attributes() { posix_spawnattr_destroy(&value_); }

  [[nodiscard]] const posix_spawnattr_t* get() const { return &value_; }

 private:
  posix_spawnattr_t value_;
};

class FileActions {
 public:
  explicit FileActions(const std::vector<std::pair<int, int>>& descriptors) {
    posix_spawn_file_actions_init(&value_);
    for (const auto& [ours, theirs] : descriptors) {
      posix_spawn_file_actions_adddup2(&value_, ours, theirs);
    }
  }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;
  ~FileActions() { posix_spawn_file_actions_destroy(&value_); }

  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &value_; }

 private:
  posix_spawn_file_actions_t value_;
};

pid_t spawn(const ProcessStart& start) {
  ESPALIER_ASSERT(!start.arguments.empty(), "a program to start");
  std::vector<std::string> arguments = start.arguments;
  std::vector<std::string> environment = environment_with(start.environment);
  pid_t pid = -1;
  const int error = ::posix_spawnp(&pid, arguments[0].c_str(), FileActions(start.descriptors).get(),
                                   Attributes(start.own_group).get(), pointers(arguments).data(),
                                   pointers(environment).data());
  if (error == 0) return pid;
  throw Error({.what = "cannot start a program",
               .where = arguments[0],
               .expected = {},
               .found = system_error(error),
               .fix = {}});
}

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

ProcessEnd end_of(int status, const rusage& usage) {
  ProcessEnd end;
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  end.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  end.peak_bytes = std::int64_t{usage.ru_maxrss} * 1024;
  return end;
}

// Limits of processor time are inherited, so that ours is that of the process as well.
std::string cpu_limit(const ProcessEnd& end) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_CPU, &limit) != 0) return {};
  const rlim_t allowed = end.signal == SIGKILL ? limit.rlim_max : limit.rlim_cur;
  // Others may send SIGKILL too; the kernel's count for SIGXCPU need not be what it reports.
  const bool early = end.cpu_seconds + 0.1 < static_cast<double>(allowed);
  if (allowed == RLIM_INFINITY || (end.signal == SIGKILL && early)) return {};
  return ": it had used up its " + std::to_string(allowed) + " s of processor time (ulimit -t)";
}

// Why a process was killed that did nothing wrong by itself.
std::string cause_of(const ProcessEnd& end) {
  if (end.signal != SIGKILL && end.signal != SIGXCPU) return {};
  if (std::string text = cpu_limit(end); !text.empty()) return text;
  if (end.signal != SIGKILL) return {};
  const std::string had = "; it had " + bytes_text(end.peak_bytes);
  if (end.oom_kills > 0) return ": the kernel killed it for lack of memory" + had;
  if (end.oom_kills == 0) return ": another process killed it; the kernel did not lack memory";
  return ": by the kernel for lack of memory, or by another process" + had;
}

}  // namespace

std::string ending(const ProcessEnd& end) {
  if (end.signal == 0) return "exit code " + std::to_string(end.exit_code);
  return "signal " + std::to_string(end.signal) + " (" + ::strsignal(end.signal) + ")" +
         cause_of(end);
}

ChildProcess::ChildProcess(const ProcessStart& start)
    : own_group_(start.own_group), oom_kills_(oom_kills()) {
  pid_ = spawn(start);
}

ChildProcess::~ChildProcess() {
  if (pid_ <= 0) return;
  kill();
  (void)wait(Clock::time_point::max());
}

void ChildProcess::kill() {
  if (pid_ > 0) ::kill(own_group_ ? -pid_ : pid_, SIGKILL);
}

std::optional<ProcessEnd> ChildProcess::wait(Clock::time_point until) {
  int status = 0;
  rusage usage{};
  while (::wait4(pid_, &status, WNOHANG, &usage) == 0) {
    if (Clock::now() >= until) return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (own_group_) kill();  // what it started and left behind
  pid_ = -1;
  ProcessEnd end = end_of(status, usage);
  end.oom_kills = oom_kills_ == not_counted ? not_counted : oom_kills() - oom_kills_;
  return end;
}

}  // namespace espalier
