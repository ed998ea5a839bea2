#include <algorithm>
#include <espalier/core/printable.hpp>
#include <espalier/core/process.hpp>
#include <espalier/core/words.hpp>
#include <iostream>

#include "experiment/sections.hpp"

#include "field_text.hpp"
#include "plugins_internal.hpp"
#include "verbs.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;

void print_field(const FieldInfo& field) {
  std::string head = field.name;
  head.resize(std::max<std::size_t>(head.size(), 18), ' ');
  std::cout << "  " << head << ' ' << type_text(field) << ", " << default_text(field);
  if (const std::string text = range_text(field); !text.empty()) std::cout << ", " << text;
  std::cout << '\n';
  const std::string indent(21, ' ');
  if (!field.doc.empty()) std::cout << indent << printable(field.doc) << '\n';
  for (const std::string& remark : remarks(field)) std::cout << indent << printable(remark) << '\n';
}

void print_schema(const SchemaInfo& schema) {
  std::cout << "\nparameters" << (schema.fields.empty() ? ": none\n" : "\n");
  for (const FieldInfo& field : schema.fields) print_field(field);
  for (const TrainPreset& preset : schema.presets) {
    std::cout << "\ntrain.preset: " << printable(preset.name) << "\n  " << preset_text(preset)
              << "\n  source: " << printable(preset.source) << '\n';
  }
  if (schema.checks.empty()) return;
  std::cout << "\nmust hold\n";
  for (const SchemaCheck& check : schema.checks) {
    std::cout << "  " << printable(check.predicate) << "\n    else: " << printable(check.message)
              << '\n';
  }
}

void print_component(const ComponentInfo& component) {
  std::cout << component.kind << '/' << component.name << ", version " << component.version << '\n'
            << printable(component.summary) << "\n\n"
            << "plugin        " << printable(component.file.string()) << '\n'
            << "capabilities  "
            << (component.capabilities.empty() ? "none" : joined(component.capabilities)) << '\n';
  print_schema(component.schema);
}

void print_section(const std::string& name) {
  std::cout << name << ", a section of every trial\n" << section_summary(name) << '\n';
  print_schema(section_schema(name));
}

const ComponentInfo& find(const Catalog& catalog, const ComponentName& wanted) {
  const ComponentInfo* component = catalog.find(wanted.kind, wanted.name);
  if (component != nullptr) return *component;
  if (const RejectedPlugin* plugin = catalog.rejected_with(wanted.kind, wanted.name)) {
    throw Error(plugin->problem);
  }
  const auto known = catalog.names(wanted.kind);
  const std::string near = did_you_mean(wanted.name, known, wanted.kind + "/");
  throw Error({.what = "no " + wanted.kind + " component is called \"" + wanted.name + "\"",
               .where = "command line",
               .expected = known.empty() ? "" : "one of " + joined(known),
               .found = {},
               .fix = near.empty()
                          ? "`espalier plugins list` says what there is and where it looked"
                          : near});
}

[[noreturn]] void refuse_section(const std::string& name) {
  const std::vector<std::string> sections(std::begin(fixed_sections), std::end(fixed_sections));
  throw Error({.what = "\"" + name + "\" is no component and no section",
               .where = "command line",
               .expected = "KIND/NAME, or one of " + joined(sections),
               .found = {},
               .fix = did_you_mean(name, sections)});
}

int print_show_help(const po::options_description& options, bool asked) {
  (asked ? std::cout : std::cerr)
      << "usage: espalier plugins show KIND/NAME [--plugins DIR]\n"
         "       espalier plugins show protocol | nodes | head | train | budget\n\n"
         "Shows what a component or a section of an experiment does, what it can do, and its\n"
         "parameters with their defaults and ranges.\n\n"
      << options << "\nexample:\n  espalier plugins show graph/threshold\n";
  return asked ? 0 : 2;
}

}  // namespace

int show_plugin(const std::vector<std::string>& arguments) {
  const auto options = plugin_options();
  po::options_description hidden;
  hidden.add(options).add_options()("component", po::value<std::string>());
  const auto given =
      parse_options(arguments, hidden, po::positional_options_description().add("component", 1));
  const bool help = given.count("help") > 0;
  if (help || given.count("component") == 0) return print_show_help(options, help);
  const auto name = given["component"].as<std::string>();
  if (is_fixed_section(name)) return print_section(name), 0;
  if (name.find('/') == std::string::npos) refuse_section(name);
  Catalog catalog = Catalog::installed(given["plugins"].as<std::vector<std::string>>());
  const ComponentName wanted = parse_component_name(name);
  catalog.describe(worker_program());
  print_component(find(catalog, wanted));
  return 0;
}

}  // namespace espalier::cli
