#include "data_progress.hpp"

#include <unistd.h>

#include <chrono>
#include <cstdio>

namespace espalier::cli {

ContentHasher::Progress data_progress() {
  if (::isatty(STDERR_FILENO) != 1) return {};
  using Clock = std::chrono::steady_clock;
  return [next = Clock::now() + std::chrono::seconds(1)](std::int64_t done,
                                                         std::int64_t total) mutable {
    if (done == total) {
      std::fputs("\r\x1b[K", stderr);
    } else if (const auto now = Clock::now(); now >= next) {
      next = now + std::chrono::milliseconds(200);
      std::fprintf(stderr, "\rreading data: %lld of %lld files\x1b[K", static_cast<long long>(done),
                   static_cast<long long>(total));
    }
  };
}

}  // namespace espalier::cli
