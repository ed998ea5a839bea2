// The context of components that are made outside of a trial.
#pragma once

#include <espalier/plugin/context.hpp>
#include <espalier/plugin/loader.hpp>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

namespace espalier {

// Makes the components inside a component by a loader. The loader and the log must outlive it.
class LoaderContext final : public RunContext {
 public:
  LoaderContext(Loader& loader, spdlog::logger& log, std::string device = "cpu",
                std::int64_t seed = 1)
      : loader_(loader), log_(log), device_(std::move(device)), seed_(seed) {}

  [[nodiscard]] std::int64_t seed() const override { return seed_; }
  [[nodiscard]] std::string device() const override { return device_; }
  [[nodiscard]] spdlog::logger& log() const override { return log_; }

 protected:
  [[nodiscard]] std::shared_ptr<void> make_component(std::string_view kind,
                                                     const ComponentRef& ref) const override {
    Json section = ref.params;
    section["use"] = ref.use;
    return loader_.make(kind, section, *this);
  }

 private:
  Loader& loader_;
  spdlog::logger& log_;
  std::string device_;
  std::int64_t seed_;
};

}  // namespace espalier
