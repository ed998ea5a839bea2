#include <algorithm>
#include <cstdio>
#include <espalier/core/printable.hpp>
#include <espalier/core/process.hpp>
#include <espalier/core/words.hpp>
#include <iostream>

#include "../verb.hpp"
#include "plugins_internal.hpp"
#include "verbs.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;

using Folders = std::vector<std::string>;

void print_catalog(const Catalog& catalog) {
  for (const std::string_view kind : component_kinds) {
    bool first = true;
    for (const ComponentInfo& component : catalog.all()) {
      if (component.kind != kind) continue;
      if (first) std::cout << kind << '\n';
      first = false;
      std::string name = component.name;
      name.resize(std::max<std::size_t>(name.size(), 18), ' ');
      std::cout << "  " << name << ' ' << printable(component.summary) << '\n';
    }
  }
}

void print_searched(const Catalog& catalog) {
  std::cerr << "searched:\n";
  for (const auto& folder : catalog.searched()) std::cerr << "  " << folder.string() << '\n';
}

int list_plugins(const std::vector<std::string>& arguments) {
  const auto options = plugin_options();
  const auto given = parse_options(arguments, options, {});
  if (given.count("help") > 0) {
    std::cout << "usage: espalier plugins list [--plugins DIR]\n\n"
                 "Lists every component that can be used, and says why others cannot. Plugins\n"
                 "that are new or changed are loaded once, by another process.\n\n"
              << options
              << "\nexample:\n  espalier plugins list --plugins ~/my-plugins/build/plugins\n";
    return 0;
  }
  Catalog catalog = Catalog::installed(given["plugins"].as<Folders>());
  catalog.describe(worker_program());
  print_catalog(catalog);
  if (catalog.all().empty()) std::cerr << "no plugins were found\n";
  print_searched(catalog);
  print_rejected(catalog);
  return 0;
}

const std::vector<Verb>& plugin_verbs() {
  static const std::vector<Verb> verbs = {
      {"list", "Every component that can be found", list_plugins},
      {"show", "A component or a section: what it does, its parameters", show_plugin},
      {"reference", "Write the pages of docs/reference", write_reference},
      {"new", "Write the source, build file and test of a component of your own", new_plugin},
      {"check", "Run the conformance suite over a plugin or a folder of them", check_plugins},
  };
  return verbs;
}

}  // namespace

po::options_description plugin_options() {
  po::options_description options("options");
  options.add_options()("help", "show this")(
      "plugins", po::value<Folders>()->composing()->default_value({}, "")->value_name("DIR"),
      "a folder with more plugins; may be repeated");
  return options;
}

void print_rejected(const Catalog& catalog) {
  for (const RejectedPlugin& plugin : catalog.rejected()) {
    std::cerr << "not taken: " << to_string(plugin.problem) << '\n';
  }
}

ComponentName parse_component_name(const std::string& text) {
  const std::size_t slash = text.find('/');
  const std::string kind = text.substr(0, slash);
  const std::vector<std::string> kinds(std::begin(component_kinds), std::end(component_kinds));
  const bool known = std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
  if (known && slash != std::string::npos && slash + 1 < text.size()) {
    return {kind, text.substr(slash + 1)};
  }
  throw Error({.what = "\"" + text + "\" is no component",
               .where = "command line",
               .expected = "KIND/NAME with a kind of " + joined(kinds),
               .found = {},
               .fix = known ? "" : did_you_mean(kind, kinds)});
}

void wrong_option(const char* option, const std::string& expected, const std::string& found) {
  throw Error({.what = std::string("--") + option + " has a wrong value",
               .where = "command line",
               .expected = expected,
               .found = found,
               .fix = {}});
}

po::variables_map parse_options(const std::vector<std::string>& arguments,
                                const po::options_description& options,
                                const po::positional_options_description& positions) try {
  po::variables_map given;
  po::store(po::command_line_parser(arguments).options(options).positional(positions).run(), given);
  po::notify(given);
  return given;
} catch (const po::error& error) {
  throw Error({.what = error.what(),
               .where = "command line",
               .expected = {},
               .found = {},
               .fix = "--help lists the options"});
}

int plugins(const std::vector<std::string>& arguments) {
  return dispatch("espalier plugins", plugin_verbs(), arguments);
}

}  // namespace espalier::cli
