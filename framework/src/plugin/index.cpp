#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <espalier/core/file.hpp>
#include <espalier/core/hash.hpp>
#include <espalier/core/process.hpp>
#include <espalier/plugin/catalog.hpp>
#include <espalier/plugin/manifest.hpp>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <sstream>

// The index of a folder of plugins: {"index": 1, "abi": {...}, "files": {NAME: {"stamp": [size,
// mtime, inode], "components": [{"kind", "name", "schema"}]}}}. It is a cache: whatever is wrong
// with it, it is made again.
namespace espalier {
namespace {

namespace fs = std::filesystem;

constexpr int index_format = 1;
constexpr std::size_t index_limit = std::size_t{64} << 20;
constexpr std::chrono::seconds time_limit{120};
constexpr std::size_t kept_words = 2000;

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
  const std::size_t from = result.err.size() - std::min(kept_words, result.err.size());
  std::string found = ending(result);
  if (!result.err.empty()) found += "\n" + result.err.substr(from);
  return {.what = "a plugin cannot be used: loading it ended the process that did",
          .where = file.string(),
          .expected = {},
          .found = std::move(found),
          .fix = "espalier plugins check " + file.string()};
}

Problem broken_worker(const fs::path& worker, const ProcessResult& result) {
  return {.what = "espalier-worker does not start",
          .where = worker.string(),
          .expected = {},
          .found = ending(result) + "\n" + result.err,
          .fix =
              "install the library that is missing (`ldd` on the program lists all that it needs), "
              "or raise a limit on memory (`ulimit -v`)"};
}

// What the worker says of some plugins.
struct Answer {
  std::map<fs::path, Json> described;  // their components
  std::map<fs::path, Problem> failed;
};

ProcessResult ask(const fs::path& worker, std::span<const fs::path> files) {
  std::vector<std::string> arguments{worker.string(), "describe"};
  for (const fs::path& file : files) arguments.push_back(file.string());
  return run_process(arguments, time_limit);
}

void take_line(const fs::path& file, const Json& line, Answer& answer) {
  if (line.contains("problem")) {
    Problem& problem = answer.failed[file] = problem_from_json(line["problem"]);
    if (problem.where.empty()) problem.where = file.string();
  } else {
    (void)schemas_from(line.at("components"));
    answer.described[file] = line.at("components");
  }
}

// How many of the files, from the first, the worker told of; nothing where it did not even begin.
std::optional<std::size_t> take_answer(std::span<const fs::path> files, const std::string& text,
                                       Answer& answer) {
  std::istringstream lines(text);
  std::string line;
  if (!std::getline(lines, line) || lines.eof()) return std::nullopt;
  std::size_t told = 0;
  while (told < files.size() && std::getline(lines, line) && !lines.eof()) {
    take_line(files[told++], parse_json(line, "espalier-worker describe"), answer);
  }
  return told;
}

// One after another in one process. The plugin that ends it is the first that it does not tell of;
// another process goes on behind that one.
Answer describe_files(const fs::path& worker, std::span<const fs::path> files) {
  Answer answer;
  while (!files.empty()) {
    const ProcessResult result = ask(worker, files);
    const std::optional<std::size_t> told = take_answer(files, result.out, answer);
    if (!told) throw Error(broken_worker(worker, result));
    files = files.subspan(*told);
    if (files.empty()) break;
    answer.failed[files.front()] = load_failure(files.front(), result);
    files = files.subspan(1);
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
  for (auto& [file, problem] : failed) {
    RejectedPlugin plugin{file, std::move(problem), {}};
    std::erase_if(components_, [&plugin](const ComponentInfo& component) {
      if (component.file != plugin.file) return false;
      plugin.components.push_back(component.kind + "/" + component.name);
      return true;
    });
    rejected_.push_back(std::move(plugin));
  }
}

}  // namespace espalier
