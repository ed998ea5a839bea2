// The machine and the software that a trial ran on.
#pragma once

#include <c10/core/Device.h>

#include <cstdint>
#include <espalier/core/json.hpp>
#include <espalier/plugin/loader.hpp>
#include <string>

namespace espalier {

// {"host", "cpu", "libtorch", "threads", "plugins": {"gnn/gcn": version, ...}, "builds":
// {"gnn/gcn": build_id() of its library, ...}} of the components in a resolved configuration.
[[nodiscard]] Json trial_environment(const Json& config, const Catalog& catalog);

// Peak resident memory of this process since the watch began, where the kernel lets it be reset,
// else since the process began.
class MemoryWatch {
 public:
  MemoryWatch();
  // In bytes; 0 where it cannot be read.
  [[nodiscard]] std::int64_t peak() const;
};

// The same of a GPU's memory, as LibTorch hands it out.
class GpuMemoryWatch {
 public:
  // `device` as the worker is told it.
  explicit GpuMemoryWatch(const std::string& device);
  // In bytes; -1 on the CPU, and where LibTorch is older than 2.11, which has no way to ask.
  [[nodiscard]] std::int64_t peak() const;

 private:
  c10::Device device_;
};

}  // namespace espalier
