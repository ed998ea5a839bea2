#include "standard_streams.hpp"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <espalier/core/failure.hpp>
#include <iostream>

namespace espalier::cli {
namespace {

// Takes the number of a closed stream with a file that fails as the closed stream would.
void keep_number(int stream) {
  if (::fcntl(stream, F_GETFD) >= 0 || errno != EBADF) return;
  const int flags = stream == STDIN_FILENO ? O_WRONLY : O_RDONLY;
  const int fd = ::open("/dev/null", flags);
  if (fd < 0 || fd == stream) return;
  ::dup2(fd, stream);
  ::close(fd);
}

bool reader_gone() {
  pollfd out{STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&out, 1, 0) == 1 && (out.revents & POLLERR) != 0;
}

}  // namespace

void prepare_standard_streams() {
  for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) keep_number(stream);
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGXFSZ, SIG_IGN);
  std::cout.exceptions(std::ios_base::badbit);
}

int finish_standard_output(int code) {
  errno = 0;
  const bool flushed = std::fflush(stdout) == 0;
  int error = errno;
  if (flushed && std::ferror(stdout) == 0 && !std::cout.bad()) return code;
  if (error == 0 && ::write(STDOUT_FILENO, "", 0) < 0) error = errno;
  if (!reader_gone()) {
    std::fprintf(stderr, "error: standard output cannot be written%s%s\n", error != 0 ? ": " : "",
                 error != 0 ? system_error(error).c_str() : "");
  }
  std::clearerr(stdout);  // it was said, and is not said again by whoever called the verb
  std::cout.clear();
  return code == 0 ? 1 : code;
}

}  // namespace espalier::cli
