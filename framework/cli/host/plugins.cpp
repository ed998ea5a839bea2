#include <algorithm>
#include <cstdio>
#include <espalier/core/printable.hpp>
#include <espalier/core/process.hpp>
#include <iostream>

#include "../verb.hpp"
#include "plugins_internal.hpp"
#include "verbs.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;

using Folders = std::vector<std::string>;

Catalog scan(const Folders& given) {
  return Catalog::scan(PluginPath::standard(current_executable(), {given.begin(), given.end()}));
}

std::string joined(const std::vector<std::string>& words, const char* separator) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : separator) + word;
  return text;
}

po::options_description plugin_options() {
  po::options_description options("options");
  options.add_options()("help", "show this")(
      "plugins", po::value<Folders>()->composing()->default_value({}, "")->value_name("DIR"),
      "a folder with more plugins; may be repeated");
  return options;
}

void print_list(const Catalog& catalog) {
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

void print_rejected(const Catalog& catalog) {
  for (const RejectedPlugin& plugin : catalog.rejected()) {
    std::cerr << "not taken: " << to_string(plugin.problem) << '\n';
  }
}

void print_searched(const Catalog& catalog) {
  std::cerr << "searched:\n";
  for (const auto& folder : catalog.searched()) std::cerr << "  " << folder.string() << '\n';
}

int list(const std::vector<std::string>& arguments) {
  const auto options = plugin_options();
  const auto given = parse_options(arguments, options, {});
  if (given.count("help") > 0) {
    std::cout << "usage: espalier plugins list [--plugins DIR]\n\n"
                 "Lists every component that can be found. Reads manifests and loads nothing.\n\n"
              << options
              << "\nexample:\n  espalier plugins list --plugins ~/my-plugins/build/plugins\n";
    return 0;
  }
  const Catalog catalog = scan(given["plugins"].as<Folders>());
  print_list(catalog);
  if (catalog.all().empty()) std::cerr << "no plugins were found\n";
  print_searched(catalog);
  print_rejected(catalog);
  return 0;
}

std::string bound(const FieldInfo& field) {
  if (!field.choices.empty()) return joined(field.choices, " | ");
  std::string text;
  if (field.min) text += canonical_json(*field.min) + (field.open_min ? " < " : " <= ");
  if (field.min || field.max) text += "value";
  if (field.max) text += (field.open_max ? " < " : " <= ") + canonical_json(*field.max);
  return text;
}

std::string type_text(const FieldInfo& field) {
  std::string text(field.type == FieldType::component ? field.kind : to_string(field.type));
  return field.list ? "list of " + text : text;
}

std::string default_text(const FieldInfo& field) {
  const Json& value = field.default_value;
  if (value.is_null()) return "must be given";
  const bool plain = field.type == FieldType::component && value.is_object() && value.size() == 1;
  return "default " + printable((plain ? value.at("use") : value).dump());
}

void print_field(const FieldInfo& field) {
  std::string head = field.name;
  head.resize(std::max<std::size_t>(head.size(), 18), ' ');
  std::cout << "  " << head << ' ' << type_text(field) << ", " << default_text(field);
  if (const std::string text = bound(field); !text.empty()) std::cout << ", " << text;
  std::cout << '\n';
  const std::string indent(21, ' ');
  if (!field.doc.empty()) std::cout << indent << printable(field.doc) << '\n';
  if (field.content) std::cout << indent << "counts by its content, not by its name\n";
  if (!field.source.empty()) std::cout << indent << "source: " << printable(field.source) << '\n';
  if (!field.only_if.empty()) std::cout << indent << "matters only if " << field.only_if << '\n';
}

void print_component(const ComponentInfo& component) {
  std::cout << component.kind << '/' << component.name << ", version " << component.version << '\n'
            << printable(component.summary) << "\n\n"
            << "plugin        " << printable(component.file.string()) << '\n'
            << "capabilities  "
            << (component.capabilities.empty() ? "none" : joined(component.capabilities, ", "))
            << "\n\nparameters" << (component.schema.fields.empty() ? ": none\n" : "\n");
  for (const FieldInfo& field : component.schema.fields) print_field(field);
  if (component.schema.checks.empty()) return;
  std::cout << "\nmust hold\n";
  for (const SchemaCheck& check : component.schema.checks) {
    std::cout << "  " << printable(check.predicate) << "\n    else: " << printable(check.message)
              << '\n';
  }
}

const ComponentInfo& find(const Catalog& catalog, const ComponentName& wanted) {
  const ComponentInfo* component = catalog.find(wanted.kind, wanted.name);
  if (component != nullptr) return *component;
  const auto known = catalog.names(wanted.kind);
  const auto near = nearest_name(wanted.name, known);
  throw Error({.what = "no " + wanted.kind + " component is called \"" + wanted.name + "\"",
               .where = "command line",
               .expected = known.empty() ? "" : "one of " + joined(known, ", "),
               .found = {},
               .fix = near ? "did you mean \"" + wanted.kind + "/" + *near + "\"?"
                           : "`espalier plugins list` says what there is and where it looked"});
}

int show(const std::vector<std::string>& arguments) {
  auto options = plugin_options();
  po::options_description hidden;
  hidden.add(options).add_options()("component", po::value<std::string>());
  const auto given =
      parse_options(arguments, hidden, po::positional_options_description().add("component", 1));
  const bool help = given.count("help") > 0;
  if (help || given.count("component") == 0) {
    (help ? std::cout : std::cerr)
        << "usage: espalier plugins show KIND/NAME [--plugins DIR]\n\n"
           "Shows what a component does, what it can do, and its parameters.\n\n"
        << options << "\nexample:\n  espalier plugins show graph/threshold\n";
    return help ? 0 : 2;
  }
  Catalog catalog = scan(given["plugins"].as<Folders>());
  const ComponentName wanted = parse_component_name(given["component"].as<std::string>());
  (void)find(catalog, wanted);
  catalog.describe(worker_program());
  const ComponentInfo* component = catalog.find(wanted.kind, wanted.name);
  if (component == nullptr) {
    print_rejected(catalog);
    return 2;
  }
  print_component(*component);
  return 0;
}

const std::vector<Verb>& parts() {
  static const std::vector<Verb> verbs = {
      {"list", "Every component that can be found", list},
      {"show", "One component: what it does, its parameters, its capabilities", show},
      {"new", "Write the source, build file and test of a component of your own", new_plugin},
      {"check", "Run the conformance suite over a plugin or a folder of them", check_plugins},
  };
  return verbs;
}

}  // namespace

ComponentName parse_component_name(const std::string& text) {
  const std::size_t slash = text.find('/');
  const std::string kind = text.substr(0, slash);
  const std::vector<std::string> kinds(std::begin(component_kinds), std::end(component_kinds));
  const bool known = std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
  if (known && slash != std::string::npos && slash + 1 < text.size()) {
    return {kind, text.substr(slash + 1)};
  }
  const auto near = nearest_name(kind, kinds);
  throw Error({.what = "\"" + text + "\" is no component",
               .where = "command line",
               .expected = "KIND/NAME with a kind of " + joined(kinds, ", "),
               .found = {},
               .fix = near && *near != kind ? "did you mean \"" + *near + "\"?" : ""});
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
  return dispatch("espalier plugins", parts(), arguments);
}

}  // namespace espalier::cli
