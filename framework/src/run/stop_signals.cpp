#include "run/stop_signals.hpp"

#include <sys/signalfd.h>
#include <unistd.h>

#include <espalier/core/error.hpp>

namespace espalier {

StopSignals::StopSignals() {
  sigset_t mine;
  sigemptyset(&mine);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) sigaddset(&mine, signal);
  ::pthread_sigmask(SIG_BLOCK, &mine, &before_);
  fd_ = ::signalfd(-1, &mine, SFD_NONBLOCK | SFD_CLOEXEC);
  ESPALIER_ASSERT(fd_ >= 0, "the kernel gives a descriptor for signals");
}

StopSignals::~StopSignals() {
  while (take()) {
  }
  ::close(fd_);
  ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

std::optional<int> StopSignals::take() {
  signalfd_siginfo info{};
  if (::read(fd_, &info, sizeof info) != static_cast<ssize_t>(sizeof info)) return std::nullopt;
  return static_cast<int>(info.ssi_signo);
}

}  // namespace espalier
