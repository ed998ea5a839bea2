#include "answer_stream.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <string_view>

#include "../json_text.hpp"

namespace espalier::cli {

AnswerStream::AnswerStream() : out_(::dup(STDOUT_FILENO)) { ::dup2(STDERR_FILENO, STDOUT_FILENO); }

AnswerStream::~AnswerStream() {
  std::fflush(stdout);
  ::dup2(out_, STDOUT_FILENO);
  ::close(out_);
}

void AnswerStream::say(const Json& line) const {
  const std::string text = json_text(line);
  std::string_view rest = text;
  while (!rest.empty()) {
    const ssize_t written = ::write(out_, rest.data(), rest.size());
    if (written < 0 && errno != EINTR) return;
    if (written > 0) rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

}  // namespace espalier::cli
