#include <algorithm>
#include <cctype>
#include <espalier/core/file.hpp>
#include <espalier/core/process.hpp>
#include <iostream>
#include <map>

#include "plugin_templates.hpp"
#include "plugins_internal.hpp"

namespace espalier::cli {
namespace {

namespace fs = std::filesystem;
namespace po = boost::program_options;

using Values = std::map<std::string, std::string>;

void check_name(const std::string& name) {
  const auto allowed = [](unsigned char c) {
    return std::islower(c) != 0 || std::isdigit(c) != 0 || c == '_';
  };
  const bool good = name.size() <= 40 && std::islower(static_cast<unsigned char>(name[0])) != 0 &&
                    std::all_of(name.begin(), name.end(), allowed);
  if (good) return;
  throw Error({.what = "\"" + name + "\" cannot be the name of a component",
               .where = "command line",
               .expected = "a lower-case letter, then lower-case letters, digits and underscores, "
                           "at most 40",
               .found = {},
               .fix = {}});
}

void check_free(const ComponentName& wanted) {
  const Catalog catalog = Catalog::installed();
  const ComponentInfo* present = catalog.find(wanted.kind, wanted.name);
  if (present == nullptr) return;
  throw Error({.what = wanted.kind + "/" + wanted.name + " is there already",
               .where = present->file.string(),
               .expected = "a name that no component has",
               .found = {},
               .fix = "choose another name"});
}

void check_empty(const fs::path& folder) {
  if (!fs::exists(folder) || (fs::is_directory(folder) && fs::is_empty(folder))) return;
  throw Error({.what = "will not write over what is there",
               .where = folder.string(),
               .expected = "a folder that is empty or not there",
               .found = fs::is_directory(folder) ? "a folder with files in it" : "a file",
               .fix = "name another folder"});
}

// `mean_field` and `gnn` to MeanFieldGnn: the kind keeps it apart from Espalier's own classes.
std::string class_name(const ComponentName& wanted) {
  std::string text;
  bool upper = true;
  for (const char c : wanted.name + "_" + wanted.kind) {
    if (c != '_')
      text += upper ? static_cast<char>(std::toupper(static_cast<unsigned char>(c))) : c;
    upper = c == '_';
  }
  return text;
}

std::string filled_in(std::string text, const Values& values) {
  for (const auto& [key, value] : values) {
    const std::string mark = "@" + key + "@";
    for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos; at += value.size()) {
      text.replace(at, mark.size(), value);
    }
  }
  return text;
}

// Where a plugin finds Espalier, and the command that puts it there first: a build folder has no
// package to build against.
struct Installation {
  std::string prefix;
  std::string step;
};

Installation installation() {
  const fs::path here = current_executable().parent_path().parent_path();
  if (!fs::exists(here / "CMakeCache.txt")) return {here.string(), ""};
  const std::string prefix = "$HOME/espalier";
  return {prefix, "cmake --install " + here.string() + " --prefix " + prefix + "\n    "};
}

void write_folder(const ComponentName& wanted, const fs::path& folder) {
  const Installation espalier = installation();
  const bool without_tensors = wanted.kind == "dataset" || wanted.kind == "captioner";
  const Values values = {
      {"KIND", wanted.kind},         {"NAME", wanted.name},
      {"CLASS", class_name(wanted)}, {"COMPONENTS", without_tensors ? "core" : "tensor"},
      {"VERSION", ESPALIER_VERSION}, {"INSTALL", espalier.step},
      {"PREFIX", espalier.prefix},
  };
  const std::map<std::string, std::string> files = {
      {wanted.kind + ".cpp", wanted.name + ".cpp"},
      {"CMakeLists.txt", "CMakeLists.txt"},
      {"README.md", "README.md"},
  };
  fs::create_directories(folder);
  for (const auto& [from, to] : files) {
    write_file(folder / to, filled_in(std::string(plugin_templates.at(from)), values));
    std::cout << (folder / to).string() << '\n';
  }
}

}  // namespace

int new_plugin(const std::vector<std::string>& arguments) {
  po::options_description options("options");
  options.add_options()("help", "show this");
  po::options_description hidden;
  hidden.add(options).add_options()("component", po::value<std::string>())(
      "folder", po::value<std::string>());
  const auto given = parse_options(
      arguments, hidden, po::positional_options_description().add("component", 1).add("folder", 1));
  const bool help = given.count("help") > 0;
  if (help || given.count("component") == 0) {
    (help ? std::cout : std::cerr)
        << "usage: espalier plugins new KIND/NAME [DIR]\n\n"
           "Writes a small component that works, with a build file and its conformance test, to\n"
           "DIR, by default NAME. It is built against an installed Espalier.\n\n"
        << options << "\nexample:\n  espalier plugins new gnn/mine ~/mine\n";
    return help ? 0 : 2;
  }
  const ComponentName wanted = parse_component_name(given["component"].as<std::string>());
  const fs::path folder =
      given.count("folder") > 0 ? given["folder"].as<std::string>() : wanted.name;
  check_name(wanted.name);
  check_free(wanted);
  check_empty(folder);
  write_folder(wanted, folder);
  std::cerr << "next: " << (folder / "README.md").string() << " says how to build and use it\n";
  return 0;
}

}  // namespace espalier::cli
