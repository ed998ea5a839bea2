#include "train/environment.hpp"

#include "plugin/build_id.hpp"
#include "plugin/used_components.hpp"
#include <ATen/Parallel.h>
#include <torch/version.h>

#include <array>
#include <espalier/core/process.hpp>
#include <fstream>
#include <string>

namespace espalier {
namespace {

// The rest of the first line of `file` that begins with `key`, after its colon.
std::string field_of(const char* file, const std::string& key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with(key)) continue;
    const std::size_t begin = line.find_first_not_of(" \t:", key.size());
    return begin == std::string::npos ? std::string() : line.substr(begin);
  }
  return {};
}

}  // namespace

Json trial_environment(const Json& config, const Catalog& catalog) {
  Json versions = Json::object();
  Json builds = Json::object();
  for (const ComponentInfo* component : used_components(config, catalog)) {
    const std::string name = component->kind + "/" + component->name;
    versions[name] = component->version;
    if (!component->file.empty()) builds[name] = build_id(component->file);
  }
  return {{"host", host_name()},       {"cpu", field_of("/proc/cpuinfo", "model name")},
          {"libtorch", TORCH_VERSION}, {"threads", at::get_num_threads()},
          {"plugins", versions},       {"builds", builds}};
}

MemoryWatch::MemoryWatch() { std::ofstream("/proc/self/clear_refs") << "5"; }

std::int64_t MemoryWatch::peak() const {
  const std::string kilobytes = field_of("/proc/self/status", "VmHWM");
  return kilobytes.empty() ? 0 : std::stoll(kilobytes) * 1024;
}

}  // namespace espalier
