// A verb of the program: `espalier NAME ARGUMENTS`.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace espalier::cli {

// docs/running.md lists what exit codes mean.
struct Verb {
  std::string_view name;
  std::string_view summary;                               // one line for `espalier --help`
  int (*run)(const std::vector<std::string>& arguments);  // --help included; may throw Error
};

// Runs the verb that arguments[0] names, its -h as --help. Turns an Error into its text on standard
// error, and an answer that cannot be written to standard output into exit code 1.
int dispatch(std::string_view program, const std::vector<Verb>& verbs,
             const std::vector<std::string>& arguments);

}  // namespace espalier::cli
