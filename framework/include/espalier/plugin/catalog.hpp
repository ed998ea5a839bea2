// The components that can be found, known without loading LibTorch or any plugin.
#pragma once

#include <cstdint>
#include <espalier/core/error.hpp>
#include <espalier/core/json.hpp>
#include <espalier/core/schema.hpp>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace espalier {

inline constexpr std::string_view component_kinds[] = {"dataset", "captioner", "encoder",
                                                       "graph",   "gnn",       "peft"};

struct ComponentInfo {
  std::string kind;
  std::string name;
  std::int64_t version = 1;
  std::string summary;
  std::vector<std::string> capabilities;  // sorted
  SchemaInfo schema;                      // empty until describe() has run
  std::filesystem::path file;             // the plugin

  [[nodiscard]] bool has(std::string_view capability) const;
};

// Where plugins are looked for, in this order; an earlier folder wins over a later one.
struct PluginPath {
  std::vector<std::filesystem::path> folders;   // --plugins DIR: must exist
  std::vector<std::filesystem::path> optional;  // ESPALIER_PLUGIN_PATH, build tree, installation

  // `executable` is the running program; the environment and the layout around it give the rest.
  static PluginPath standard(const std::filesystem::path& executable,
                             std::vector<std::filesystem::path> given = {});
};

// A plugin that was found and not taken, and why: it cannot be read, has another ABI, fails when it
// is loaded, or an earlier folder offers the same component.
struct RejectedPlugin {
  std::filesystem::path file;
  Problem problem;
  std::vector<std::string> components;  // `kind/name`; empty where the manifest cannot be read
};

class Catalog {
 public:
  // Reads manifests only. Throws Error on a folder given by hand that is not there and on two
  // plugins in one folder with the same component; everything else is a RejectedPlugin.
  static Catalog scan(const PluginPath& path);
  // What the running program finds: PluginPath::standard() with these folders before the others.
  static Catalog installed(const std::vector<std::string>& folders = {});
  // For tests: exactly these.
  static Catalog of(std::vector<ComponentInfo> components);

  // Fills in the schemas, from the index beside the plugins where it is current, else by asking
  // `worker` (the program that may load plugins) and writing the index anew.
  void describe(const std::filesystem::path& worker);

  [[nodiscard]] const ComponentInfo* find(std::string_view kind, std::string_view name) const;
  [[nodiscard]] std::vector<std::string> names(std::string_view kind) const;
  [[nodiscard]] const std::vector<ComponentInfo>& all() const noexcept { return components_; }
  [[nodiscard]] const std::vector<RejectedPlugin>& rejected() const noexcept { return rejected_; }
  // Of a component that is not in the catalog: the plugin that offers it; nullptr where none does.
  [[nodiscard]] const RejectedPlugin* rejected_with(std::string_view kind,
                                                    std::string_view name) const;
  [[nodiscard]] const std::vector<std::filesystem::path>& searched() const noexcept {
    return searched_;
  }

  // A section such as {"use": "knn", "k": 5} with all defaults, nested components included. Adds
  // what is wrong to `problems`; null when the component is unknown.
  [[nodiscard]] Json resolve(std::string_view kind, const Json& section, std::string_view prefix,
                             const Locator& locate, Problems& problems) const;
  // Whether the component of a resolved section has the capability, through `wraps:FIELD`
  // (all of the component there) or `wraps:FIELD:CAPABILITY` (this one).
  [[nodiscard]] bool has(std::string_view kind, const Json& section,
                         std::string_view capability) const;

 private:
  void add_plugin(const std::filesystem::path& file, Problems& duplicates);

  std::vector<ComponentInfo>
      components_;  // sorted by kind, in the order of component_kinds, and name
  std::vector<RejectedPlugin> rejected_;
  std::vector<std::filesystem::path> searched_;
};

}  // namespace espalier
