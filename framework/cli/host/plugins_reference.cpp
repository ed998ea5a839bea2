#include <espalier/core/file.hpp>
#include <espalier/core/process.hpp>
#include <espalier/core/words.hpp>
#include <filesystem>
#include <iostream>
#include <map>

#include "experiment/sections.hpp"

#include "field_text.hpp"
#include "plugins_internal.hpp"
#include "verbs.hpp"

namespace espalier::cli {
namespace {

namespace po = boost::program_options;

constexpr const char* note =
    "<!-- Written by `tools/reference` from the declarations in the code. -->\n";

// A cell of a table.
std::string cell(std::string text) {
  for (std::size_t at = text.find('|'); at != std::string::npos; at = text.find('|', at + 2)) {
    text.insert(at, "\\");
  }
  return text;
}

std::string meaning(const FieldInfo& field) {
  std::string text = field.doc;
  for (const std::string& remark : remarks(field)) text += "; " + remark;
  return text;
}

std::string default_cell(const FieldInfo& field) {
  const std::string text = default_text(field);
  constexpr std::string_view begin = "default ";
  return text.starts_with(begin) ? "`" + text.substr(begin.size()) + "`" : text;
}

std::string presets(const SchemaInfo& schema) {
  std::string text;
  for (const TrainPreset& preset : schema.presets) {
    text += "\n`train.preset: " + preset.name + "`: " + preset_text(preset) + " (" + preset.source +
            ").\n";
  }
  return text;
}

std::string table(const SchemaInfo& schema) {
  if (schema.fields.empty()) return "\nNo parameters.\n" + presets(schema);
  std::string text = "\n| parameter | type | default | range | meaning |\n|---|---|---|---|---|\n";
  for (const FieldInfo& field : schema.fields) {
    text += "| `" + field.name + "` | " + type_text(field) + " | " + cell(default_cell(field)) +
            " | " + cell(range_text(field)) + " | " + cell(meaning(field)) + " |\n";
  }
  for (const SchemaCheck& check : schema.checks) {
    text += "\n`" + check.predicate + "` must hold, else: " + check.message + ".\n";
  }
  return text + presets(schema);
}

std::string page_of_sections() {
  std::string text = std::string("# Sections of every trial\n\n") + note;
  for (const std::string_view name : fixed_sections) {
    text += "\n## " + std::string(name) + "\n\n" + std::string(section_summary(name)) + ".\n" +
            table(section_schema(name));
  }
  return text;
}

std::string part_of(const ComponentInfo& component) {
  std::string text = "\n## " + component.kind + "/" + component.name + "\n\n" + component.summary +
                     ". Version " + std::to_string(component.version);
  if (!component.capabilities.empty()) {
    text += "; capabilities: `" + joined(component.capabilities, "` `") + "`";
  }
  return text + ".\n" + table(component.schema);
}

std::string page_of(const Catalog& catalog, std::string_view kind) {
  std::string text = "# Components of kind " + std::string(kind) + "\n\n" + note;
  for (const ComponentInfo& component : catalog.all()) {
    if (component.kind == kind) text += part_of(component);
  }
  return text;
}

int print_reference_help(const po::options_description& options, bool asked) {
  (asked ? std::cout : std::cerr)
      << "usage: espalier plugins reference FOLDER [--plugins DIR]\n\n"
         "Writes a page in Markdown for the sections of an experiment and one for each kind of\n"
         "component, with every parameter, its default, range and meaning.\n\n"
      << options << "\nexample:\n  espalier plugins reference docs/reference\n";
  return asked ? 0 : 2;
}

}  // namespace

int write_reference(const std::vector<std::string>& arguments) {
  const auto options = plugin_options();
  po::options_description hidden;
  hidden.add(options).add_options()("folder", po::value<std::string>());
  const auto given =
      parse_options(arguments, hidden, po::positional_options_description().add("folder", 1));
  const bool help = given.count("help") > 0;
  if (help || given.count("folder") == 0) return print_reference_help(options, help);
  Catalog catalog = Catalog::installed(given["plugins"].as<std::vector<std::string>>());
  catalog.describe(worker_program());
  std::map<std::string, std::string> pages{{"sections", page_of_sections()}};
  for (const std::string_view kind : component_kinds) {
    pages[std::string(kind)] = page_of(catalog, kind);
  }
  const std::filesystem::path folder = given["folder"].as<std::string>();
  std::filesystem::create_directories(folder);
  for (const auto& [name, text] : pages) write_file(folder / (name + ".md"), text);
  print_rejected(catalog);
  return catalog.rejected().empty() ? 0 : 1;
}

}  // namespace espalier::cli
