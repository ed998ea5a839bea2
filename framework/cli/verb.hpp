// A verb of the program: `espalier NAME ARGUMENTS`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace espalier::cli {

// Exit codes: 0 done, 1 finished with something to report (a failed trial, a difference), 2 a mistake
// of the user's, 130 and 143 stopped by a signal.
struct Verb {
  std::string_view name;
  std::string_view summary;                              // one line for `espalier --help`
  int (*run)(const std::vector<std::string>& arguments);  // --help included; may throw Error
};

// Runs the verb that arguments[0] names and turns an Error into its text on standard error.
int dispatch(std::string_view program, const std::vector<Verb>& verbs,
             const std::vector<std::string>& arguments);

}  // namespace espalier::cli
