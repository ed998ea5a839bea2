#include "train/environment.hpp"

#include "plugin/build_id.hpp"
#include "plugin/used_components.hpp"
#include "train/machine.hpp"
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <torch/version.h>
#if TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 11)
#include <c10/core/CachingDeviceAllocator.h>
#define ESPALIER_DEVICE_STATISTICS
#endif

#include <array>
#include <espalier/core/process.hpp>
#include <espalier/nn/pretrained.hpp>
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
  return {{"host", host_name()},
          {"cpu", field_of("/proc/cpuinfo", "model name")},
          {"libtorch", TORCH_VERSION},
          {"blas_kernels", openblas_core()},
          {"threads", at::get_num_threads()},
          {"plugins", versions},
          {"builds", builds}};
}

MemoryWatch::MemoryWatch() { std::ofstream("/proc/self/clear_refs") << "5"; }

std::int64_t MemoryWatch::peak() const {
  const std::string kilobytes = field_of("/proc/self/status", "VmHWM");
  return kilobytes.empty() ? 0 : std::stoll(kilobytes) * 1024;
}

GpuMemoryWatch::GpuMemoryWatch(const std::string& device) : device_(device_of(device)) {
#if defined(ESPALIER_DEVICE_STATISTICS)
  if (device_.is_cpu()) return;
  at::globalContext().lazyInitDevice(device_.type());  // before it an allocator knows no device
  c10::getDeviceAllocator(device_.type())->resetPeakStats(device_.index());
#endif
}

std::int64_t GpuMemoryWatch::peak() const {
#if defined(ESPALIER_DEVICE_STATISTICS)
  if (!device_.is_cpu()) {
    const auto statistics =
        c10::getDeviceAllocator(device_.type())->getDeviceStats(device_.index());
    return statistics.allocated_bytes[0].peak;
  }
#endif
  return -1;
}

}  // namespace espalier
