#include <espalier/plugin/manifest.hpp>

#include <algorithm>
#include <espalier/plugin/catalog.hpp>
#include <sstream>

#include "elf_internal.hpp"

namespace espalier {
namespace {

constexpr std::string_view section_name = ".espalier.plugin";
constexpr std::string_view manifest_prefix = "ESPALIER1";
constexpr std::size_t size_limit = 1 << 16;
constexpr std::size_t text_limit = 400;
constexpr std::size_t name_limit = 64;

[[noreturn]] void malformed(std::string_view origin, const std::string& found) {
  throw Error({.what = "a plugin's manifest is not valid",
               .where = std::string(origin),
               .expected = "what ESPALIER_COMPONENT writes",
               .found = found,
               .fix = "compile the plugin again"});
}

[[noreturn]] void newer(std::string_view origin, const std::string& found) {
  throw Error({.what = "a plugin's manifest has another format",
               .where = std::string(origin),
               .expected = "ESPALIER1 with \"manifest\": 1",
               .found = found,
               .fix = "compile the plugin against this installation"});
}

bool is_name(std::string_view text) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  };
  return !text.empty() && text.size() <= name_limit &&
         std::all_of(text.begin(), text.end(), allowed);
}

bool is_kind(std::string_view text) {
  return std::find(std::begin(component_kinds), std::end(component_kinds), text) !=
         std::end(component_kinds);
}

bool is_printable(std::string_view text) {
  return std::none_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) == 0x7f;
  });
}

std::string text_at(const Json& object, const char* key, std::string_view origin) {
  const auto it = object.find(key);
  const bool good = it != object.end() && it->is_string() &&
                    it->get_ref<const std::string&>().size() <= text_limit &&
                    is_printable(it->get_ref<const std::string&>());
  if (!good) malformed(origin, "no usable \"" + std::string(key) + "\"");
  return it->get<std::string>();
}

std::vector<std::string> words(const std::string& text) {
  std::istringstream stream(text);
  std::vector<std::string> found;
  for (std::string word; stream >> word;) found.push_back(std::move(word));
  std::sort(found.begin(), found.end());
  return found;
}

ManifestComponent component(const Json& json, std::string_view origin) {
  if (!json.is_object()) malformed(origin, "a component that is no object");
  ManifestComponent component{.kind = text_at(json, "kind", origin),
                              .name = text_at(json, "name", origin),
                              .version = 0,
                              .summary = text_at(json, "summary", origin),
                              .capabilities = words(text_at(json, "capabilities", origin))};
  if (!is_kind(component.kind)) malformed(origin, "unknown kind \"" + component.kind + "\"");
  if (!is_name(component.name)) malformed(origin, "component name \"" + component.name + "\"");
  const auto version = json.find("version");
  if (version == json.end() || !version->is_number_integer() || *version < 1 ||
      *version > 1'000'000'000) {
    malformed(origin, "no usable \"version\"");
  }
  component.version = version->get<std::int64_t>();
  return component;
}

AbiStamp abi_stamp(const Json& json, std::string_view origin) {
  if (!json.is_object() || json.size() > 32) malformed(origin, "no usable \"abi\"");
  AbiStamp stamp;
  for (const auto& [field, value] : json.items()) {
    if (!is_name(field)) malformed(origin, "an ABI field with an odd name");
    stamp[field] = text_at(json, field.c_str(), origin);
  }
  return stamp;
}

}  // namespace

std::optional<std::string> read_manifest_section(const std::filesystem::path& file) {
  auto bytes = elf_section(file, section_name, size_limit);
  if (bytes) bytes->resize(std::min(bytes->size(), bytes->find('\0')));
  return bytes;
}

Manifest parse_manifest(std::string_view text, std::string_view origin) {
  if (text.substr(0, manifest_prefix.size()) != manifest_prefix) {
    newer(origin, "a section that begins with something else");
  }
  const Json json =
      parse_json(text.substr(manifest_prefix.size()), origin, {.bytes = size_limit, .depth = 8});
  if (!json.is_object()) malformed(origin, "no object");
  const auto format = json.find("manifest");
  if (format == json.end() || *format != 1) {
    newer(origin, format == json.end() ? "no \"manifest\"" : "\"manifest\": " + format->dump());
  }
  const auto abi = json.find("abi");
  const auto components = json.find("components");
  if (abi == json.end() || components == json.end() || !components->is_array() ||
      components->empty()) {
    malformed(origin, "no \"abi\" or no \"components\"");
  }
  Manifest manifest{.abi = abi_stamp(*abi, origin), .components = {}};
  for (const Json& item : *components) manifest.components.push_back(component(item, origin));
  return manifest;
}

Manifest read_manifest(const std::filesystem::path& file) {
  const auto text = read_manifest_section(file);
  if (!text) {
    throw Error({.what = "a shared library is no plugin of Espalier's",
                 .where = file.string(),
                 .expected = "a section .espalier.plugin, which ESPALIER_COMPONENT writes",
                 .found = "no such section",
                 .fix = "remove the file from the plugin folder, or end its source with "
                        "ESPALIER_COMPONENT"});
  }
  return parse_manifest(*text, file.string());
}

}  // namespace espalier
