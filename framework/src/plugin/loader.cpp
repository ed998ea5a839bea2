#define BOOST_DLL_USE_STD_FS
#include <espalier/plugin/loader.hpp>

#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <espalier/core/failure.hpp>
#include <espalier/core/file.hpp>
#include <espalier/core/words.hpp>
#include <espalier/plugin/manifest.hpp>
#include <functional>
#include <map>
#include <optional>

namespace espalier {
namespace {

namespace fs = std::filesystem;
namespace dll = boost::dll;

constexpr const char* entry_symbol = "espalier_plugin_entry";
using EntryPoint = void(Registrar&);

[[noreturn]] void refuse_plugin(const fs::path& file, const std::string& what, std::string expected,
                                std::string found, std::string fix = {}) {
  throw Error({.what = what,
               .where = file.string(),
               .expected = std::move(expected),
               .found = std::move(found),
               .fix = std::move(fix)});
}

class Collector final : public Registrar {
 public:
  void add(ComponentEntry entry) override { entries.push_back(std::move(entry)); }
  void fail(std::string_view message) noexcept override { failure = std::string(message); }

  std::vector<ComponentEntry> entries;
  std::optional<std::string> failure;
};

// The reason in the dynamic linker's own words, which Boost puts behind its own.
std::string linker_message(const std::string& text) {
  constexpr std::string_view marker = "dlerror system message: ";
  const std::size_t at = text.find(marker);
  if (at == std::string::npos) return text;
  std::string message = text.substr(at + marker.size());
  return message.substr(0, message.rfind("): "));
}

// Libraries stay loaded to the end of the process, past the destructors of statics.
dll::shared_library& keep(dll::shared_library library) {
  static std::mutex mutex;
  static auto* const kept = new std::vector<std::unique_ptr<dll::shared_library>>;
  const std::lock_guard lock(mutex);
  kept->push_back(std::make_unique<dll::shared_library>(std::move(library)));
  return *kept->back();
}

dll::shared_library& open_library(const fs::path& file) {
  try {
    return keep(dll::shared_library(fs::absolute(file), dll::load_mode::rtld_now));
  } catch (const std::exception& error) {
    refuse_plugin(file, "a plugin cannot be loaded", {}, linker_message(error.what()),
                  "compile it against this installation, with every library that it needs");
  }
}

std::string label(const std::string& kind, const std::string& name, std::int64_t version) {
  return kind + "/" + name + " version " + std::to_string(version);
}

template <class List>
std::string labels(const List& list) {
  std::vector<std::string> texts;
  for (const auto& item : list) texts.push_back(label(item.kind, item.name, item.version));
  std::sort(texts.begin(), texts.end());
  return texts.empty() ? "nothing" : joined(texts);
}

std::vector<Problem> named(std::string_view component, std::vector<Problem> problems) {
  for (Problem& problem : problems) problem.what = std::string(component) + ": " + problem.what;
  return problems;
}

std::string failure_in(std::string_view component, std::string_view operation) {
  return std::string(component) + " failed in " + std::string(operation);
}

}  // namespace

std::vector<ComponentEntry> load_plugin(const fs::path& file) {
  const Manifest manifest = read_manifest(file);
  if (auto problem = abi_problem(manifest.abi, host_abi(), file)) throw Error(*std::move(problem));
  dll::shared_library& library = open_library(file);
  if (!library.has(entry_symbol)) {
    refuse_plugin(file, "a plugin has no entry point", entry_symbol, "no such symbol",
                  "end its source with ESPALIER_COMPONENT");
  }
  Collector collector;
  library.get<EntryPoint>(entry_symbol)(collector);
  if (collector.failure) {
    refuse_plugin(file, "a plugin failed in its entry point", {}, *collector.failure);
  }
  if (labels(collector.entries) != labels(manifest.components)) {
    refuse_plugin(file, "a plugin registers something else than its manifest says",
                  labels(manifest.components), labels(collector.entries),
                  "compile the plugin again");
  }
  return std::move(collector.entries);
}

struct Loader::State {
  const Catalog& catalog;
  std::mutex mutex;
  std::map<fs::path, std::vector<ComponentEntry>> loaded;
};

Loader::Loader(const Catalog& catalog) : state_(new State{catalog, {}, {}}) {}
Loader::~Loader() = default;

const Catalog& Loader::catalog() const noexcept { return state_->catalog; }

const ComponentEntry& Loader::entry(std::string_view kind, std::string_view name) {
  const ComponentInfo* info = state_->catalog.find(kind, name);
  if (info == nullptr) {
    throw Error(
        {.what = "no " + std::string(kind) + " component is called \"" + std::string(name) + "\"",
         .where = {},
         .expected = {},
         .found = {},
         .fix = "`espalier plugins list` shows what there is"});
  }
  const std::lock_guard lock(state_->mutex);
  auto loaded = state_->loaded.find(info->file);
  if (loaded == state_->loaded.end()) {
    loaded = state_->loaded.emplace(info->file, load_plugin(info->file)).first;
  }
  for (const ComponentEntry& entry : loaded->second) {
    if (entry.kind == kind && entry.name == name) return entry;
  }
  refuse_plugin(info->file, "a plugin changed while the program ran",
                label(info->kind, info->name, info->version), labels(loaded->second),
                "start again");
}

Json Loader::complete(std::string_view kind, const Json& section) {
  Json params = section;
  params.erase("use");
  const ComponentEntry& found = entry(kind, section.at("use").get<std::string>());
  const auto nowhere = [](std::string_view) { return std::string(); };
  Problems problems;
  params = resolve_params(found.schema, params, std::string(kind) + ".", nowhere, problems);
  problems.throw_if_any();
  params["use"] = found.name;
  return params;
}

std::shared_ptr<void> Loader::make(std::string_view kind, const Json& section,
                                   const RunContext& context) {
  const auto name = section.at("use").get<std::string>();
  const ComponentEntry& found = entry(kind, name);
  const Json completed = complete(kind, section);
  std::shared_ptr<void> made;
  guarded(std::string(kind) + "/" + name, "its constructor",
          [&] { made = found.make(completed, context); });
  return made;
}

void guarded(std::string_view component, std::string_view operation,
             const std::function<void()>& call) {
  const std::string what = failure_in(component, operation);
  try {
    call();
  } catch (const StorageError& error) {
    throw StorageError(named(component, error.problems()));
  } catch (const Error& error) {
    throw Error(named(component, error.problems()));
  } catch (...) {
    throw Error({.what = what,
                 .where = {},
                 .expected = {},
                 .found = message_of(std::current_exception()),
                 .fix = {}});
  }
}

}  // namespace espalier
