// How Espalier reports what a user can put right.
//
// Two kinds of failure, two tools. A mistake in configuration, data, weights, a plugin or the network
// is an Error that carries one or more Problems. A broken invariant is an ESPALIER_ASSERT. Library
// code never prints, exits or aborts for the first kind.
#pragma once

#include <exception>
#include <string>
#include <vector>

namespace espalier {

// One mistake. Empty fields are left out when it is shown.
struct Problem {
  std::string what;      // one sentence without a full stop: `unknown key "graph.tua"`
  std::string where;     // `experiments/a.yaml:12`, `--plugins /opt/x`, a file, an image
  std::string expected;  // what would have been accepted
  std::string found;     // what was there
  std::string fix;       // how to go on

  bool operator==(const Problem&) const = default;
};

// The problem as a person reads it: the sentence, then one indented line a field.
[[nodiscard]] std::string to_string(const Problem& problem);

// Carries at least one problem; what() is all of them, as to_string shows them.
class Error : public std::exception {
 public:
  explicit Error(Problem problem);
  explicit Error(std::vector<Problem> problems);

  [[nodiscard]] const std::vector<Problem>& problems() const noexcept { return problems_; }
  [[nodiscard]] const char* what() const noexcept override { return text_.c_str(); }

 private:
  std::vector<Problem> problems_;
  std::string text_;
};

// Collects the problems of one configuration, so that all are shown at once.
class Problems {
 public:
  void add(Problem problem) { list_.push_back(std::move(problem)); }
  [[nodiscard]] bool empty() const noexcept { return list_.empty(); }
  [[nodiscard]] std::size_t size() const noexcept { return list_.size(); }
  [[nodiscard]] const std::vector<Problem>& list() const noexcept { return list_; }

  // Throws Error if anything was collected.
  void throw_if_any() const;

 private:
  std::vector<Problem> list_;
};

// Ends the process with the place and the message: the program, not the user, is wrong.
[[noreturn]] void assertion_failed(const char* condition, const char* message, const char* file,
                                   int line);

}  // namespace espalier

#define ESPALIER_ASSERT(condition, message)                                              \
  ((condition) ? static_cast<void>(0)                                                    \
               : ::espalier::assertion_failed(#condition, message, __FILE__, __LINE__))
