// The machine and the software that a trial ran on.
#pragma once

#include <cstdint>
#include <espalier/core/json.hpp>
#include <espalier/plugin/loader.hpp>

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

}  // namespace espalier
