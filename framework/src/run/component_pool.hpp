// Components that a worker keeps between trials: opening a dataset looks at every photo, loading an
// encoder at every weight.
#pragma once

#include <cstdint>
#include <espalier/core/json.hpp>
#include <espalier/plugin/loader.hpp>
#include <list>
#include <memory>
#include <spdlog/fwd.h>
#include <string>
#include <string_view>

namespace espalier {

// Not thread-safe.
class ComponentPool {
 public:
  // Keeps the `most` of each kind that were used last.
  ComponentPool(Loader& loader, std::string device, std::size_t most = 2);
  ComponentPool(const ComponentPool&) = delete;
  ComponentPool& operator=(const ComponentPool&) = delete;
  ~ComponentPool();

  [[nodiscard]] bool holds(std::string_view kind, const Json& section) const;
  // The component of this section, kept or made; it writes to `log` until the next call. One that
  // asks for the seed when it is made is for this trial alone.
  template <class Interface>
  [[nodiscard]] std::shared_ptr<Interface> get(const Json& section, std::int64_t seed,
                                               spdlog::logger& log) {
    return std::static_pointer_cast<Interface>(get(Interface::kind, section, seed, log));
  }
  [[nodiscard]] std::shared_ptr<void> get(std::string_view kind, const Json& section,
                                          std::int64_t seed, spdlog::logger& log);

 private:
  class Context;
  struct Made;
  using List = std::list<std::shared_ptr<Made>>;
  [[nodiscard]] List::const_iterator find(std::string_view kind, const std::string& section) const;
  void forget(std::string_view kind);

  Loader& loader_;
  std::string device_;
  std::size_t most_;
  spdlog::logger* log_ = nullptr;
  List made_;  // used last first
};

}  // namespace espalier
