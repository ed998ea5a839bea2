#include <espalier/core/error.hpp>

#include <cstdio>
#include <cstdlib>
#include <espalier/core/printable.hpp>
#include <string_view>

namespace espalier {
namespace {

void append_indented(std::string& text, const std::string& value, std::size_t indent) {
  for (const char c : printable_lines(value)) {
    text.push_back(c);
    if (c == '\n') text.append(indent, ' ');
  }
}

void append_line(std::string& text, std::string_view label, const std::string& value) {
  if (value.empty()) return;
  text.append("\n  ").append(label);
  text.append(std::string(10 - label.size(), ' '));
  append_indented(text, value, 12);
}

std::string joined(const std::vector<Problem>& problems) {
  std::string text;
  for (const Problem& problem : problems) {
    if (!text.empty()) text.push_back('\n');
    text += to_string(problem);
  }
  return text;
}

}  // namespace

std::string to_string(const Problem& problem) {
  std::string text;
  append_indented(text, problem.what, 2);
  append_line(text, "where:", problem.where);
  append_line(text, "expected:", problem.expected);
  append_line(text, "found:", problem.found);
  append_line(text, "fix:", problem.fix);
  return text;
}

Error::Error(Problem problem) : Error(std::vector<Problem>{std::move(problem)}) {}

Error::Error(std::vector<Problem> problems)
    : problems_(std::move(problems)), text_(joined(problems_)) {
  ESPALIER_ASSERT(!problems_.empty(), "an Error needs a problem");
}

void Problems::throw_if_any() const {
  if (!list_.empty()) throw Error(list_);
}

void assertion_failed(const char* condition, const char* message, const char* file, int line) {
  std::fprintf(stderr, "%s:%d: internal error: %s (%s)\n", file, line, message, condition);
  std::abort();
}

}  // namespace espalier
