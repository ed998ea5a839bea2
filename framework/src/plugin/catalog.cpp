#include <espalier/plugin/catalog.hpp>

#include <algorithm>
#include <espalier/core/process.hpp>
#include <espalier/plugin/manifest.hpp>
#include <set>

namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view suffix = ".espalier.so";

std::vector<fs::path> plugin_files(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    if (entry.path().filename().string().ends_with(suffix)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

// Folders that exist, each once, by their real names.
std::vector<fs::path> existing_folders(const PluginPath& path) {
  std::vector<fs::path> folders;
  const auto add = [&](const fs::path& folder) {
    const fs::path real = fs::canonical(folder);
    if (std::find(folders.begin(), folders.end(), real) == folders.end()) folders.push_back(real);
  };
  Problems problems;
  for (const fs::path& folder : path.folders) {
    if (fs::is_directory(folder)) {
      add(folder);
    } else {
      problems.add({.what = "a plugin folder is not there",
                    .where = "--plugins " + folder.string(),
                    .expected = "a folder",
                    .found = fs::exists(folder) ? "something else" : "nothing",
                    .fix = "name the folder that holds the *.espalier.so files"});
    }
  }
  problems.throw_if_any();
  std::error_code error;
  for (const fs::path& folder : path.optional) {
    if (fs::is_directory(folder, error)) add(folder);
  }
  return folders;
}

std::string label_of(const ManifestComponent& component) {
  return component.kind + "/" + component.name;
}

std::vector<std::string> labels_of(const Manifest& manifest) {
  std::vector<std::string> labels;
  for (const ManifestComponent& component : manifest.components) {
    labels.push_back(label_of(component));
  }
  return labels;
}

ComponentInfo component_of(const ManifestComponent& component, const fs::path& file) {
  return {.kind = component.kind,
          .name = component.name,
          .version = component.version,
          .summary = component.summary,
          .capabilities = component.capabilities,
          .schema = {},
          .file = file};
}

std::size_t kind_rank(const std::string& kind) {
  return static_cast<std::size_t>(
      std::find(std::begin(component_kinds), std::end(component_kinds), kind) -
      std::begin(component_kinds));
}

bool before(const ComponentInfo& a, const ComponentInfo& b) {
  const auto key = [](const ComponentInfo& c) { return std::pair(kind_rank(c.kind), c.name); };
  return key(a) < key(b);
}

Problem same_component(const ComponentInfo& first, const fs::path& second) {
  return {.what = "two plugins offer " + first.kind + "/" + first.name,
          .where = first.file.string() + " and " + second.string(),
          .expected = "each component once in a folder",
          .found = {},
          .fix = "remove or rename one of them"};
}

Problem shadowed_component(const ComponentInfo& first, const fs::path& second) {
  return {.what = first.kind + "/" + first.name + " is shadowed",
          .where = second.string(),
          .expected = {},
          .found = "the same component in an earlier folder: " + first.file.string(),
          .fix = {}};
}

}  // namespace

bool ComponentInfo::has(std::string_view capability) const {
  return std::find(capabilities.begin(), capabilities.end(), capability) != capabilities.end();
}

Catalog Catalog::scan(const PluginPath& path) {
  Catalog catalog;
  catalog.searched_ = existing_folders(path);
  Problems duplicates;
  for (const fs::path& folder : catalog.searched_) {
    for (const fs::path& file : plugin_files(folder)) catalog.add_plugin(file, duplicates);
  }
  duplicates.throw_if_any();
  std::sort(catalog.components_.begin(), catalog.components_.end(), before);
  return catalog;
}

Catalog Catalog::installed(const std::vector<std::string>& folders) {
  return scan(PluginPath::standard(current_executable(), {folders.begin(), folders.end()}));
}

Catalog Catalog::of(std::vector<ComponentInfo> components) {
  Catalog catalog;
  catalog.components_ = std::move(components);
  std::sort(catalog.components_.begin(), catalog.components_.end(), before);
  return catalog;
}

void Catalog::add_plugin(const fs::path& file, Problems& duplicates) try {
  const Manifest manifest = read_manifest(file);
  if (auto problem = abi_problem(manifest.abi, host_abi(), file)) {
    rejected_.push_back({file, *std::move(problem), labels_of(manifest)});
    return;
  }
  for (const ManifestComponent& component : manifest.components) {
    const ComponentInfo* present = find(component.kind, component.name);
    if (present == nullptr) {
      components_.push_back(component_of(component, file));
    } else if (present->file.parent_path() == file.parent_path()) {
      duplicates.add(same_component(*present, file));
    } else {
      rejected_.push_back({file, shadowed_component(*present, file), {label_of(component)}});
    }
  }
} catch (const Error& error) {
  rejected_.push_back({file, error.problems().front(), {}});
}

const ComponentInfo* Catalog::find(std::string_view kind, std::string_view name) const {
  const auto it =
      std::find_if(components_.begin(), components_.end(), [&](const ComponentInfo& component) {
        return component.kind == kind && component.name == name;
      });
  return it == components_.end() ? nullptr : &*it;
}

const RejectedPlugin* Catalog::rejected_with(std::string_view kind, std::string_view name) const {
  const std::string wanted = std::string(kind) + "/" + std::string(name);
  const auto it = std::find_if(rejected_.begin(), rejected_.end(), [&](const RejectedPlugin& p) {
    return std::find(p.components.begin(), p.components.end(), wanted) != p.components.end();
  });
  return it == rejected_.end() ? nullptr : &*it;
}

std::vector<std::string> Catalog::names(std::string_view kind) const {
  std::vector<std::string> found;
  for (const ComponentInfo& component : components_) {
    if (component.kind == kind) found.push_back(component.name);
  }
  return found;
}

}  // namespace espalier
