#include "standard_streams.hpp"
#include "verb.hpp"

#include <algorithm>
#include <cstdio>
#include <espalier/core/error.hpp>
#include <espalier/core/failure.hpp>
#include <espalier/core/json.hpp>
#include <espalier/core/printable.hpp>
#include <espalier/core/words.hpp>
#include <filesystem>
#include <ios>

namespace espalier::cli {
namespace {

constexpr const char* exit_codes =
    "exit codes: 0 done, 1 done with something to report (a trial that failed or is not done, a\n"
    "difference, an answer that could not be written), 2 a mistake that stopped it, 128 and the\n"
    "signal's number where one did: 130 after Ctrl-C, 143 after SIGTERM\n";

void print_overview(std::string_view program, const std::vector<Verb>& verbs) {
  std::printf("usage: %.*s VERB [ARGUMENTS]\n\n", static_cast<int>(program.size()), program.data());
  for (const Verb& verb : verbs) {
    std::printf("  %-10.*s %.*s\n", static_cast<int>(verb.name.size()), verb.name.data(),
                static_cast<int>(verb.summary.size()), verb.summary.data());
  }
  std::printf("\n%.*s VERB --help, or -h, says more, with an example.\n\n%s",
              static_cast<int>(program.size()), program.data(), exit_codes);
}

[[noreturn]] void unknown_verb(const std::vector<Verb>& verbs, const std::string& name) {
  std::vector<std::string> known;
  for (const Verb& verb : verbs) known.emplace_back(verb.name);
  throw Error({.what = "unknown verb \"" + name + "\"",
               .where = "command line",
               .expected = "one of " + joined(known),
               .found = {},
               .fix = did_you_mean(name, known)});
}

// Names, settings and texts all go through JSON.
void check_utf8(const std::vector<std::string>& arguments) {
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    if (is_utf8(arguments[i])) continue;
    throw Error({.what = "an argument is not UTF-8",
                 .where = "command line, argument " + std::to_string(i + 1),
                 .expected = "text in UTF-8",
                 .found = Json(arguments[i]).dump(-1, ' ', false, Json::error_handler_t::replace),
                 .fix = "set the terminal's locale to UTF-8, or rename the file"});
  }
}

int run_verb(std::string_view program, const std::vector<Verb>& verbs,
             const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h") {
    print_overview(program, verbs);
    return arguments.empty() ? 2 : 0;
  }
  if (arguments[0] == "help") {
    std::vector<std::string> asked(arguments.begin() + 1, arguments.end());
    asked.emplace_back("--help");
    return run_verb(program, verbs, asked);
  }
  if (arguments[0] == "--version") {
    std::puts("espalier " ESPALIER_VERSION);
    return 0;
  }
  const auto verb = std::find_if(verbs.begin(), verbs.end(),
                                 [&](const Verb& v) { return v.name == arguments[0]; });
  if (verb == verbs.end()) unknown_verb(verbs, arguments[0]);
  check_utf8(arguments);
  std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  std::replace(rest.begin(), rest.end(), std::string("-h"), std::string("--help"));
  return verb->run(rest);
}

}  // namespace

int dispatch(std::string_view program, const std::vector<Verb>& verbs,
             const std::vector<std::string>& arguments) try {
  prepare_standard_streams();
  return finish_standard_output(run_verb(program, verbs, arguments));
} catch (const std::ios_base::failure&) {
  return finish_standard_output(1);
} catch (const Error& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 2;
} catch (const std::filesystem::filesystem_error& error) {
  const Error said({.what = "a file or folder cannot be used",
                    .where = error.path1().string(),
                    .expected = {},
                    .found = error.code().message(),
                    .fix = "check that you may read it and open the folders above it"});
  std::fprintf(stderr, "error: %s\n", said.what());
  return 2;
} catch (const std::exception&) {
  std::fprintf(stderr, "error: the command failed unexpectedly\n  found:    %s\n",
               printable_lines(message_of(std::current_exception())).c_str());
  return 2;
}

}  // namespace espalier::cli
