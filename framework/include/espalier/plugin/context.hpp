// What the host gives a component.
#pragma once

#include <cstdint>
#include <espalier/core/json.hpp>
#include <espalier/core/random.hpp>
#include <espalier/core/schema.hpp>
#include <memory>
#include <spdlog/fwd.h>
#include <string>
#include <string_view>

namespace espalier {

// Lives as long as the trial. A component draws random numbers, logs, and makes other components
// through it alone: it seeds no global generator, creates no logger, sets no thread count.
class RunContext {
 public:
  virtual ~RunContext();

  [[nodiscard]] virtual std::int64_t seed() const = 0;
  // `cpu`, `cuda` or `cuda:1`.
  [[nodiscard]] virtual std::string device() const = 0;
  [[nodiscard]] virtual spdlog::logger& log() const = 0;
  // A fresh generator of the named stream; two calls with one name give equal ones.
  [[nodiscard]] Random random(std::string_view stream) const { return Random(seed(), stream); }

  // Makes the component that `ref` names. Throws Error when there is none or its parameters are wrong.
  template <class Interface>
  [[nodiscard]] std::shared_ptr<Interface> make(const ComponentRef& ref) const {
    return std::static_pointer_cast<Interface>(make_component(Interface::kind, ref));
  }

 protected:
  [[nodiscard]] virtual std::shared_ptr<void> make_component(std::string_view kind,
                                                             const ComponentRef& ref) const = 0;
};

}  // namespace espalier
