#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <espalier/core/file.hpp>
#include <espalier/core/hash.hpp>
#include <espalier/core/process.hpp>
#include <espalier/plugin/catalog.hpp>
#include <espalier/plugin/manifest.hpp>
#include <set>

// The index of a folder of plugins: {"index": 1, "abi": {...}, "files": {NAME: {"stamp": [size,
// mtime, inode], "components": [{"kind", "name", "schema"}]}}}. It is a cache: whatever is wrong
// with it, it is made again.
namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr int index_format = 1;
constexpr std::size_t index_limit = std::size_t{64} << 20;
constexpr std::chrono::seconds time_limit{120};
constexpr int linker_failure = 127;  // exit code of the dynamic linker

Json stamp_of(const fs::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) return nullptr;
  return {status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ino};
}

fs::path user_cache() {
  if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg != nullptr && *xdg == '/') return xdg;
  if (const char* home = std::getenv("HOME"); home != nullptr && *home == '/') {
    return fs::path(home) / ".cache";
  }
  return {};
}

// Beside the plugins; in the user's cache where the folder belongs to somebody else.
fs::path index_file(const fs::path& folder) {
  const fs::path beside = folder / "espalier-index.json";
  if (::faccessat(AT_FDCWD, folder.c_str(), W_OK, AT_EACCESS) == 0) return beside;
  const fs::path cache = user_cache();
  return cache.empty() ? fs::path{}
                       : cache / "espalier" / ("plugins-" + hex(sha256(folder.string())) + ".json");
}

Json empty_index() {
  return {{"index", index_format}, {"abi", host_abi()}, {"files", Json::object()}};
}

Json read_index(const fs::path& file) try {
  Json index = parse_json(read_own_file(file, index_limit), file.string());
  const bool current = index.value("index", 0) == index_format && index.at("abi") == host_abi() &&
                       index.at("files").is_object();
  return current ? index : empty_index();
} catch (const std::exception&) {
  return empty_index();
}

void write_index(const fs::path& file, const Json& index) try {
  if (file.empty()) return;
  fs::create_directories(file.parent_path());
  write_file(file, index.dump());
} catch (const std::exception&) {
  // Without an index the next start asks the worker again.
}

// The schemas of one plugin, in the order of its components in the catalog.
using Schemas = std::map<std::pair<std::string, std::string>, SchemaInfo>;

Schemas schemas_from(const Json& components) {
  Schemas schemas;
  for (const Json& component : components) {
    schemas[{component.at("kind"), component.at("name")}] =
        schema_from_json(component.at("schema"));
  }
  return schemas;
}

bool usable(const Json& entry, const Json& stamp) try {
  (void)schemas_from(entry.at("components"));
  return entry.at("stamp") == stamp;
} catch (const std::exception&) {
  return false;
}

Problem load_failure(const fs::path& file, const ProcessResult& result) {
  std::string found = ending(result);
  if (!result.err.empty()) found += "\n" + result.err.substr(0, 2000);
  return {.what = "a plugin cannot be described: loading it ended espalier-worker",
          .where = file.string(),
          .expected = {},
          .found = std::move(found),
          .fix = "espalier plugins check " + file.string()};
}

Problem broken_worker(const fs::path& worker, const ProcessResult& result) {
  return {
      .what = "espalier-worker does not start",
      .where = worker.string(),
      .expected = {},
      .found = result.err,
      .fix = "install the library that is missing; `ldd` on the program lists all that it needs"};
}

// What the worker says of some plugins: file -> {"components": [...]} or {"problem": {...}}.
struct Answer {
  std::map<fs::path, Json> described;
  std::map<fs::path, Problem> failed;
};

ProcessResult ask(const fs::path& worker, const std::vector<fs::path>& files) {
  std::vector<std::string> arguments{worker.string(), "describe"};
  for (const fs::path& file : files) arguments.push_back(file.string());
  return run_process(arguments, time_limit);
}

void take_answer(const std::vector<fs::path>& files, const std::string& text, Answer& answer) {
  const Json json = parse_json(text, "espalier-worker describe");
  for (const fs::path& file : files) {
    const Json& one = json.at(file.string());
    if (one.contains("problem")) {
      Problem& problem = answer.failed[file] = problem_from_json(one["problem"]);
      if (problem.where.empty()) problem.where = file.string();
    } else {
      (void)schemas_from(one.at("components"));
      answer.described[file] = one.at("components");
    }
  }
}

// All in one process; where that one dies, each in its own, so that the culprit is known.
Answer describe_files(const fs::path& worker, const std::vector<fs::path>& files) {
  Answer answer;
  if (files.empty()) return answer;
  const ProcessResult together = ask(worker, files);
  if (together.exit_code == linker_failure) throw Error(broken_worker(worker, together));
  if (together.ok()) {
    take_answer(files, together.out, answer);
    return answer;
  }
  for (const fs::path& file : files) {
    const ProcessResult alone = files.size() == 1 ? together : ask(worker, {file});
    if (alone.ok()) {
      take_answer({file}, alone.out, answer);
    } else {
      answer.failed[file] = load_failure(file, alone);
    }
  }
  return answer;
}

// The folder's index, brought up to date for `files`; failures are added to `failed`.
Json current_index(const fs::path& folder, const std::set<fs::path>& files, const fs::path& worker,
                   std::map<fs::path, Problem>& failed) {
  const fs::path path = index_file(folder);
  const Json known = read_index(path);
  Json index = empty_index();
  std::vector<fs::path> changed;
  for (const fs::path& file : files) {
    const auto entry = known["files"].find(file.filename().string());
    if (entry != known["files"].end() && usable(*entry, stamp_of(file))) {
      index["files"][file.filename().string()] = *entry;
    } else {
      changed.push_back(file);
    }
  }
  if (changed.empty()) return index;
  // Stamps are taken before the worker looks: a file that changes meanwhile is looked at again.
  std::map<fs::path, Json> stamps;
  for (const fs::path& file : changed) stamps[file] = stamp_of(file);
  Answer answer = describe_files(worker, changed);
  for (const auto& [file, components] : answer.described) {
    index["files"][file.filename().string()] = {{"stamp", stamps[file]},
                                                {"components", components}};
  }
  failed.merge(answer.failed);
  write_index(path, index);
  return index;
}

}  // namespace

void Catalog::describe(const fs::path& worker) {
  std::map<fs::path, std::set<fs::path>> folders;
  for (const ComponentInfo& component : components_) {
    folders[component.file.parent_path()].insert(component.file);
  }
  std::map<fs::path, Problem> failed;
  for (const auto& [folder, files] : folders) {
    const Json index = current_index(folder, files, worker, failed);
    for (ComponentInfo& component : components_) {
      const auto entry = index["files"].find(component.file.filename().string());
      if (component.file.parent_path() != folder || entry == index["files"].end()) continue;
      Schemas schemas = schemas_from(entry->at("components"));
      component.schema = schemas[{component.kind, component.name}];
    }
  }
  std::erase_if(components_, [&](const ComponentInfo& c) { return failed.count(c.file) > 0; });
  for (auto& [file, problem] : failed) rejected_.push_back({file, std::move(problem)});
}

}  // namespace espalier
