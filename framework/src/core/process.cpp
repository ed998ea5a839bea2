#include <espalier/core/process.hpp>

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <espalier/core/descriptor.hpp>
#include <espalier/core/error.hpp>
#include <espalier/core/failure.hpp>

namespace espalier {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t output_limit = std::size_t{64} << 20;

// The end to read from and the end that the program writes to.
struct Pipe {
  Descriptor read;
  Descriptor write;

  explicit Pipe(const std::string& program) {
    std::array<int, 2> ends{-1, -1};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
      throw Error({.what = "cannot start a program",
                   .where = program,
                   .expected = {},
                   .found = system_error(errno),
                   .fix = {}});
    }
    read = Descriptor(ends[0]);
    write = Descriptor(ends[1]);
  }
};

void take(Descriptor& from, std::string& text) {
  char buffer[1 << 16];
  const ssize_t got = ::read(from.get(), buffer, sizeof buffer);
  if (got < 0 && errno == EINTR) return;
  if (got <= 0) return from.close();
  const auto room = std::min(static_cast<std::size_t>(got), output_limit - text.size());
  text.append(buffer, room);
}

// Reads both streams until they are closed; false when the time is up before.
bool drain(Descriptor& out, Descriptor& err, ProcessResult& result, Clock::time_point end) {
  while (out || err) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    if (left.count() <= 0) return false;
    std::array<pollfd, 2> fds{{{out.get(), POLLIN, 0}, {err.get(), POLLIN, 0}}};
    const auto patience = static_cast<int>(std::min<std::int64_t>(left.count(), 1000));
    if (::poll(fds.data(), fds.size(), patience) < 0) continue;
    if (fds[0].revents != 0) take(out, result.out);
    if (fds[1].revents != 0) take(err, result.err);
  }
  return true;
}

}  // namespace

int usable_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  return ::sched_getaffinity(0, sizeof set, &set) == 0 ? std::max(1, CPU_COUNT(&set)) : 1;
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "";
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
  return ending(static_cast<const ProcessEnd&>(result));
}

ProcessResult run_process(const std::vector<std::string>& arguments,
                          std::chrono::milliseconds time_limit) {
  ESPALIER_ASSERT(!arguments.empty(), "a program to run");
  const Clock::time_point end = Clock::now() + time_limit;
  Pipe out(arguments[0]);
  Pipe err(arguments[0]);
  const Descriptor nothing(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  ChildProcess child({.arguments = arguments,
                      .environment = {},
                      .descriptors = {{nothing.get(), STDIN_FILENO},
                                      {out.write.get(), STDOUT_FILENO},
                                      {err.write.get(), STDERR_FILENO}}});
  out.write.close();
  err.write.close();

  ProcessResult result;
  result.timed_out = !drain(out.read, err.read, result, end);
  std::optional<ProcessEnd> ended;
  if (!result.timed_out) ended = child.wait(end);
  if (!ended) {
    result.timed_out = true;
    child.kill();
    ended = child.wait(Clock::time_point::max());
  }
  static_cast<ProcessEnd&>(result) = *ended;
  return result;
}

}  // namespace espalier
