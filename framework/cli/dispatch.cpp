#include "verb.hpp"

#include <algorithm>
#include <cstdio>
#include <espalier/core/error.hpp>
#include <espalier/core/json.hpp>
#include <espalier/core/printable.hpp>
#include <espalier/core/words.hpp>
#include <filesystem>

namespace espalier::cli {
namespace {

void print_overview(std::string_view program, const std::vector<Verb>& verbs) {
  std::printf("usage: %.*s VERB [ARGUMENTS]\n\n", static_cast<int>(program.size()), program.data());
  for (const Verb& verb : verbs) {
    std::printf("  %-10.*s %.*s\n", static_cast<int>(verb.name.size()), verb.name.data(),
                static_cast<int>(verb.summary.size()), verb.summary.data());
  }
  std::printf("\n%.*s VERB --help says more, with an example.\n", static_cast<int>(program.size()),
              program.data());
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

}  // namespace

int dispatch(std::string_view program, const std::vector<Verb>& verbs,
             const std::vector<std::string>& arguments) try {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h") {
    print_overview(program, verbs);
    return arguments.empty() ? 2 : 0;
  }
  if (arguments[0] == "help") {
    return arguments.size() > 1 ? dispatch(program, verbs, {arguments[1], "--help"})
                                : dispatch(program, verbs, {"--help"});
  }
  if (arguments[0] == "--version") {
    std::puts("espalier " ESPALIER_VERSION);
    return 0;
  }
  const auto verb = std::find_if(verbs.begin(), verbs.end(),
                                 [&](const Verb& v) { return v.name == arguments[0]; });
  if (verb == verbs.end()) unknown_verb(verbs, arguments[0]);
  check_utf8(arguments);
  return verb->run({arguments.begin() + 1, arguments.end()});
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
} catch (const std::exception& error) {
  const std::string text = error.what();
  std::fprintf(stderr, "error: the command failed unexpectedly\n  found:    %s\n",
               printable_lines(text.substr(0, text.find("\nException raised from "))).c_str());
  return 2;
}

}  // namespace espalier::cli
