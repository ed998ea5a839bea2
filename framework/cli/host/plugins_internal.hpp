// What the parts of `espalier plugins` share.
#pragma once

#include <boost/program_options.hpp>
#include <espalier/plugin/catalog.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::cli {

struct ComponentName {
  std::string kind;
  std::string name;
};

// `kind/name`. Throws Error, with the nearest kind, when there is no such kind.
ComponentName parse_component_name(const std::string& text);

// Throws Error: the value of --`option` does not fit.
[[noreturn]] void wrong_option(const char* option, const std::string& expected,
                               const std::string& found);

// Throws Error in place of Boost's own exceptions.
boost::program_options::variables_map parse_options(
    const std::vector<std::string>& arguments,
    const boost::program_options::options_description& options,
    const boost::program_options::positional_options_description& positions);

// --help and --plugins.
[[nodiscard]] boost::program_options::options_description plugin_options();
void print_rejected(const Catalog& catalog);

int show_plugin(const std::vector<std::string>& arguments);
int write_reference(const std::vector<std::string>& arguments);
int new_plugin(const std::vector<std::string>& arguments);
int check_plugins(const std::vector<std::string>& arguments);

}  // namespace espalier::cli
