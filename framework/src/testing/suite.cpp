#include <espalier/testing/suite.hpp>

#include <ATen/Parallel.h>

#include <algorithm>
#include <espalier/core/process.hpp>
#include <espalier/plugin/loader.hpp>
#include <iterator>
#include <set>
#include <utility>

namespace espalier::conformance {
namespace {

namespace fs = std::filesystem;

fs::path folder_of(const fs::path& path) {
  return fs::is_directory(path) ? path : fs::absolute(path).parent_path();
}

bool comes_from(const ComponentInfo& component, const fs::path& path) {
  return fs::equivalent(fs::is_directory(path) ? component.file.parent_path() : component.file,
                        path);
}

// Fills in the schemas of components and of what they are made of, by loading their plugins.
class Describer {
 public:
  explicit Describer(std::vector<ComponentInfo>& components) : components_(components) {}

  void describe(ComponentInfo& component) {
    if (!seen_.insert({component.kind, component.name}).second) return;
    for (const ComponentEntry& entry : load_plugin(component.file)) {
      if (entry.kind == component.kind && entry.name == component.name) {
        component.schema = entry.schema;
      }
    }
    for (const FieldInfo& field : component.schema.fields) {
      if (field.type == FieldType::component) describe_all(field.kind, {});
    }
    if (component.has("needs_attributes")) describe_all("dataset", "attributes");
  }

 private:
  void describe_all(const std::string& kind, const std::string& capability) {
    for (ComponentInfo& other : components_) {
      const bool wanted = capability.empty() || other.has(capability);
      if (other.kind == kind && wanted) try_to_describe(other);
    }
  }

  // One that cannot be loaded is simply not to be had.
  void try_to_describe(ComponentInfo& other) try { describe(other); } catch (const Error&) {
  }

  std::vector<ComponentInfo>& components_;
  std::set<std::pair<std::string, std::string>> seen_;
};

Catalog described(const fs::path& path) {
  const Catalog found = Catalog::installed({folder_of(path).string()});
  Problems problems;
  for (const RejectedPlugin& plugin : found.rejected()) {
    const fs::path place = fs::is_directory(path) ? plugin.file.parent_path() : plugin.file;
    if (fs::equivalent(place, path)) problems.add(plugin.problem);
  }
  problems.throw_if_any();
  std::vector<ComponentInfo> components = found.all();
  Describer describer(components);
  for (ComponentInfo& component : components) {
    if (comes_from(component, path)) describer.describe(component);
  }
  return Catalog::of(std::move(components));
}

Json known_parameters(const ComponentInfo& info, const Json& given) {
  Json known = Json::object();
  for (const auto& [key, value] : given.items()) {
    if (info.schema.find(key) != nullptr) known[key] = value;
  }
  return known;
}

}  // namespace

struct Suite::State {
  Catalog catalog;
  std::vector<ComponentInfo> components;
  Loader loader;
  Maker make;

  explicit State(const fs::path& path)
      : catalog(described(path)),
        loader(catalog),
        make([this](std::string_view kind, const Json& section, const RunContext& context) {
          const Json completed = loader.complete(kind, section);
          return loader.entry(kind, completed.at("use").get<std::string>())
              .make(completed, context);
        }) {
    std::copy_if(catalog.all().begin(), catalog.all().end(), std::back_inserter(components),
                 [&](const ComponentInfo& component) { return comes_from(component, path); });
  }
};

// LibTorch sets its threads, and the BLAS's, in its first parallel loop otherwise, after which
// products round anew.
Suite::Suite(const fs::path& path) : state_(std::make_unique<State>(path)) {
  at::set_num_threads(at::get_num_threads());
}
Suite::~Suite() = default;

const std::vector<ComponentInfo>& Suite::components() const { return state_->components; }

std::vector<Subject> Suite::settings(const ComponentInfo& info, const Json& given) const {
  const ComponentInfo* known = state_->catalog.find(info.kind, info.name);
  ESPALIER_ASSERT(known != nullptr, "a component of this suite");
  return conformance::settings(state_->catalog, *known, known_parameters(*known, given),
                               state_->make);
}

Case::Case(std::shared_ptr<const Suite> suite, ComponentInfo info, Property property, Json given)
    : suite_(std::move(suite)),
      info_(std::move(info)),
      property_(std::move(property)),
      given_(std::move(given)) {}

std::string Case::name() const { return info_.kind + "_" + info_.name + "_" + property_.name; }

Finding Case::run() const { return examine(property_, suite_->settings(info_, given_)); }

std::vector<Case> cases(const fs::path& folder, const Given& given) {
  const auto suite = std::make_shared<const Suite>(folder);
  std::vector<Case> all;
  Given rest = given;
  for (const ComponentInfo& component : suite->components()) {
    const auto found = rest.extract(component.kind + "/" + component.name);
    const Json parameters = found.empty() ? Json::object() : found.mapped();
    for (const Property& property : properties(component.kind)) {
      all.emplace_back(suite, component, property, parameters);
    }
  }
  if (!rest.empty()) {
    throw Error({.what = "no component of this name to be given parameters",
                 .where = folder.string(),
                 .expected = {},
                 .found = rest.begin()->first,
                 .fix = {}});
  }
  return all;
}

}  // namespace espalier::conformance
