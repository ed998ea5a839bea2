#include "run/worker_process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstring>
#include <espalier/core/error.hpp>
#include <fstream>
#include <thread>
#include <utility>

namespace espalier {
namespace {

constexpr std::size_t kept_words = 4096;
constexpr auto grace = std::chrono::seconds(5);

[[noreturn]] void cannot_start(const std::string& program, int error) {
  throw Error({.what = "cannot start a worker",
               .where = program,
               .expected = {},
               .found = std::strerror(error),
               .fix = {}});
}

void close_one(int& fd) {
  if (fd >= 0) ::close(std::exchange(fd, -1));
}

struct Channels {
  std::array<int, 2> in{-1, -1};  // a socket, so that writing to a dead worker raises no signal
  std::array<int, 2> out{-1, -1};
  std::array<int, 2> err{-1, -1};

  explicit Channels(const std::string& program) {
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in.data()) != 0 ||
        ::pipe2(out.data(), O_CLOEXEC) != 0 || ::pipe2(err.data(), O_CLOEXEC) != 0) {
      const int error = errno;
      close_all();
      cannot_start(program, error);
    }
    ::fcntl(out[0], F_SETFL, O_NONBLOCK);
    ::fcntl(err[0], F_SETFL, O_NONBLOCK);
  }
  Channels(const Channels&) = delete;
  Channels& operator=(const Channels&) = delete;
  ~Channels() { close_all(); }

 private:
  void close_all() {
    for (auto* pair : {&in, &out, &err}) {
      for (int& fd : *pair) close_one(fd);
    }
  }
};

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

pid_t spawn(const WorkerCommand& command, const Channels& channels) {
  std::vector<std::string> arguments = command.arguments;
  std::vector<std::string> environment = environment_with(command.environment);

  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, channels.in[1], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, channels.out[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, channels.err[1], STDERR_FILENO);
  if (command.lock >= 0) {
    posix_spawn_file_actions_adddup2(&actions, command.lock, lock_descriptor);
  }
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  sigset_t none;
  sigset_t all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  pid_t pid = -1;
  const int error = ::posix_spawn(&pid, arguments[0].c_str(), &actions, &attributes,
                                  pointers(arguments).data(), pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) cannot_start(arguments[0], error);
  return pid;
}

std::string trimmed(std::string text) {
  const std::size_t end = text.find_last_not_of(" \r\n\t");
  text.resize(end == std::string::npos ? 0 : end + 1);
  return text;
}

}  // namespace

WorkerProcess::WorkerProcess(const WorkerCommand& command) {
  ESPALIER_ASSERT(!command.arguments.empty(), "a program to start");
  Channels channels(command.arguments[0]);
  pid_ = spawn(command, channels);
  in_ = std::exchange(channels.in[0], -1);
  out_ = std::exchange(channels.out[0], -1);
  err_ = std::exchange(channels.err[0], -1);
}

WorkerProcess::~WorkerProcess() {
  if (pid_ > 0) {
    kill();
    wait();
  }
  for (int* fd : {&in_, &out_, &err_}) close_one(*fd);
}

void WorkerProcess::send(const Json& message) {
  const std::string line = message.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t sent = ::send(in_, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return;
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
}

void WorkerProcess::end_input() { close_one(in_); }

void WorkerProcess::kill() {
  if (pid_ > 0) ::kill(-pid_, SIGKILL);
}

bool WorkerProcess::read_output(std::vector<Json>& messages) {
  const bool open = lines_.fill(out_);
  while (const auto line = lines_.next()) {
    Json message = Json::parse(*line, nullptr, false);
    if (message.is_object()) messages.push_back(std::move(message));
  }
  return open;
}

void WorkerProcess::read_errors() {
  char bytes[1 << 12];
  ssize_t got = 0;
  while ((got = ::read(err_, bytes, sizeof bytes)) > 0) {
    words_.append(bytes, static_cast<std::size_t>(got));
    if (words_.size() > kept_words) words_.erase(0, words_.size() - kept_words);
  }
  if (got == 0) close_one(err_);
}

ProcessEnd WorkerProcess::wait() {
  const auto deadline = std::chrono::steady_clock::now() + grace;
  int status = 0;
  while (::waitpid(pid_, &status, WNOHANG) == 0) {
    if (std::chrono::steady_clock::now() > deadline) kill();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  if (err_ >= 0) read_errors();
  kill();
  pid_ = -1;
  ProcessEnd end;
  if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
  end.last_words = trimmed(words_);
  return end;
}

std::int64_t WorkerProcess::resident_bytes() const {
  std::ifstream statm("/proc/" + std::to_string(pid_) + "/statm");
  std::int64_t total = 0;
  std::int64_t resident = 0;
  statm >> total >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

}  // namespace espalier
