// A component whose source is compiled into the fuzz target.
#pragma once

#include <spdlog/logger.h>

#include <espalier/plugin/component.hpp>
#include <memory>
#include <stdexcept>

extern "C" void espalier_plugin_entry(espalier::Registrar& registrar) noexcept;

namespace espalier::fuzz {

class Context final : public RunContext {
 public:
  [[nodiscard]] std::int64_t seed() const override { return 1; }
  [[nodiscard]] std::string device() const override { return "cpu"; }
  [[nodiscard]] spdlog::logger& log() const override { return log_; }

 protected:
  [[nodiscard]] std::shared_ptr<void> make_component(std::string_view,
                                                     const ComponentRef&) const override {
    throw std::logic_error("there is no other component");
  }

 private:
  mutable spdlog::logger log_{"fuzz"};
};

class Entry final : public Registrar {
 public:
  Entry() { espalier_plugin_entry(*this); }
  void add(ComponentEntry entry) override { entry_ = std::move(entry); }
  void fail(std::string_view) noexcept override {}

  // `params` may leave out what has a default.
  template <class Interface>
  [[nodiscard]] std::shared_ptr<Interface> make(const Json& params) const {
    return std::static_pointer_cast<Interface>(entry_.make(params, Context()));
  }

 private:
  ComponentEntry entry_;
};

}  // namespace espalier::fuzz
