// Standard output for answers alone.
#pragma once

#include <espalier/core/json.hpp>

namespace espalier::cli {

// While it lives, what anybody prints to standard output goes to standard error; say() writes a
// line of JSON to the true one.
class AnswerStream {
 public:
  AnswerStream();
  AnswerStream(const AnswerStream&) = delete;
  AnswerStream& operator=(const AnswerStream&) = delete;
  ~AnswerStream();

  void say(const Json& line) const;

 private:
  int out_;
};

}  // namespace espalier::cli
