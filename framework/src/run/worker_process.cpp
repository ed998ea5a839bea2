#include "run/worker_process.hpp"

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <espalier/core/error.hpp>
#include <espalier/core/failure.hpp>
#include <fstream>
#include <utility>

namespace espalier {
namespace {

constexpr std::size_t kept_words = 4096;
constexpr auto grace = std::chrono::seconds(5);

[[noreturn]] void cannot_start(int error) {
  throw Error({.what = "cannot start a worker",
               .where = {},
               .expected = {},
               .found = system_error(error),
               .fix = {}});
}

struct Channel {
  Descriptor ours;
  Descriptor theirs;
};

// A socket, so that writing to a dead worker raises no signal.
Channel channel_to_worker() {
  std::array<int, 2> ends{-1, -1};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0) cannot_start(errno);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

Channel channel_from_worker() {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) cannot_start(errno);
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

ProcessStart start_of(const WorkerCommand& command, const Channel& in, const Channel& out,
                      const Channel& err) {
  ProcessStart start{.arguments = command.arguments,
                     .environment = command.environment,
                     .descriptors = {{in.theirs.get(), STDIN_FILENO},
                                     {out.theirs.get(), STDOUT_FILENO},
                                     {err.theirs.get(), STDERR_FILENO}},
                     .own_group = true};
  if (command.lock >= 0) start.descriptors.emplace_back(command.lock, lock_descriptor);
  return start;
}

std::string trimmed(std::string text) {
  const std::size_t end = text.find_last_not_of(" \r\n\t");
  text.resize(end == std::string::npos ? 0 : end + 1);
  return text;
}

}  // namespace

WorkerProcess::WorkerProcess(const WorkerCommand& command) {
  Channel in = channel_to_worker();
  Channel out = channel_from_worker();
  Channel err = channel_from_worker();
  process_.emplace(start_of(command, in, out, err));
  in_ = std::move(in.ours);
  out_ = std::move(out.ours);
  err_ = std::move(err.ours);
}

void WorkerProcess::send(const Json& message) {
  const std::string line = message.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t sent = ::send(in_.get(), rest.data(), rest.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return;
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
}

bool WorkerProcess::read_output(std::vector<Json>& messages) {
  const bool open = lines_.fill(out_.get());
  while (const auto line = lines_.next()) {
    Json message = Json::parse(*line, nullptr, false);
    if (message.is_object()) messages.push_back(std::move(message));
  }
  return open;
}

void WorkerProcess::read_errors() {
  char bytes[1 << 12];
  ssize_t got = 0;
  while ((got = ::read(err_.get(), bytes, sizeof bytes)) > 0) {
    words_.append(bytes, static_cast<std::size_t>(got));
    if (words_.size() > kept_words) words_.erase(0, words_.size() - kept_words);
  }
  if (got == 0) err_.close();
}

WorkerEnd WorkerProcess::wait() {
  std::optional<ProcessEnd> end = process_->wait(std::chrono::steady_clock::now() + grace);
  if (!end) {
    kill();
    end = process_->wait(std::chrono::steady_clock::time_point::max());
  }
  if (err_) read_errors();
  return {*end, trimmed(words_)};
}

std::int64_t WorkerProcess::resident_bytes() const {
  std::ifstream statm("/proc/" + std::to_string(pid()) + "/statm");
  std::int64_t total = 0;
  std::int64_t resident = 0;
  statm >> total >> resident;
  return resident * ::sysconf(_SC_PAGESIZE);
}

}  // namespace espalier
